package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"fanout/pkg/register"
)

// registerFlags are those of fanout register.
type registerFlags struct {
	hub    *hubFlags
	member memberFlags
	output string
	register.Options
}

func newRegisterCommand() *cobra.Command {
	f := &registerFlags{hub: newHubFlags(), Options: register.Options{
		MemberNamespace: "fanout-system", ServiceAccount: "fanout", Wait: time.Minute, DryRun: register.DryRunNone,
	}}
	command := &cobra.Command{
		Use:   "register NAME",
		Short: "Register a member, or give it a new credential",
		Long: `Register a member under a name, which selectors match, or give one that is registered a new credential.

In the member it makes a ServiceAccount with no more rights than fanout uses, and a token for it. It proves that as the
controller will use it, writes the Secret that registers the member in the hub, and waits until the controller says that it is
connected. Typed again, it replaces the token without a gap. It needs an administrator's rights in the member, and in the hub
those to read and write Secrets and to read Events and Leases in --cluster-namespace.

Exit codes: 0 registered and connected, 1 failed, 2 a fault of the command line, 3 registered, but the controller has not said
in time that it is connected.`,
		Example: `  # A member that your kubeconfig has a context for; the hub is its current context.
  fanout register eu-west-prod --member-context eu-west

  # A member on this machine, under the name that the hub finds it by.
  fanout register dev --member-context kind-dev --server https://dev-control-plane:6443

  # Only Canaries of two namespaces, with a token for 90 days.
  fanout register edge-7 --member-kubeconfig edge-7.yaml --namespaces shop,payments --token-duration 2160h

  # For GitOps: what would be applied.
  fanout register eu-west-prod --member-context eu-west -o yaml`,
		Args: oneName,
		RunE: func(command *cobra.Command, args []string) error {
			return runRegister(command, f, args[0])
		},
	}
	f.hub.addTo(command.Flags())
	f.hub.addLeaseTo(command.Flags())
	f.member.addTo(command.Flags())
	f.addTo(command.Flags())
	return command
}

func (f *registerFlags) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&f.Server, "server", f.Server, "Address at which the hub reaches the member's API server, such as https://10.0.0.7:6443. By default that of the member's kubeconfig.")
	flags.StringSliceVar(&f.Namespaces, "namespaces", nil, "The only namespaces of the member that fanout may write to; '*' opens it to all again. Created where they are missing.")
	flags.StringToStringVar(&f.Labels, "labels", nil, "Labels of the member, key=value. Those that its Secret has already stay.")
	flags.DurationVar(&f.TokenDuration, "token-duration", 0, "How long the token lasts; register again before it ends. By default it lasts until its Secret in the member is deleted.")
	flags.StringVar(&f.MemberNamespace, "member-namespace", f.MemberNamespace, "Namespace in the member for fanout's ServiceAccount.")
	flags.StringVar(&f.ServiceAccount, "service-account", f.ServiceAccount, "Name of that ServiceAccount: one for each hub that works in the member.")
	flags.DurationVar(&f.Wait, "wait", f.Wait, "How long to wait for the controller to connect; 0 does not wait.")
	flags.StringVar((*string)(&f.DryRun), "dry-run", string(f.DryRun), "none, client (say what would be done) or server (have the API servers check it as well).")
	flags.StringVarP(&f.output, "output", "o", "", "yaml: print what would be applied, and apply nothing.")
}

func runRegister(command *cobra.Command, f *registerFlags, name string) error {
	usage := func(err error) error { return &usageError{command: command.CommandPath(), err: err} }
	f.Agent, f.ClusterNamespace, f.LeaseName = name, f.hub.clusterNamespace, f.hub.leaseName
	f.UserAgent, f.Timeout, f.Out = userAgent(), defaultFlags().requestTimeout, command.OutOrStdout()
	if err := f.Validate(); err != nil {
		return usage(err)
	}
	if f.output != "" && f.output != "yaml" {
		return usage(fmt.Errorf("--output %q: must be yaml", f.output))
	}
	if !f.member.given() {
		return usage(errors.New("say which cluster the member is, with --member-context or --member-kubeconfig"))
	}
	var err error
	if f.Member, err = f.member.config(); err != nil {
		return err
	}
	if f.output != "" {
		return printManifests(command.OutOrStdout(), &f.Options)
	}
	if f.Hub, err = f.hub.config(); err != nil {
		return err
	}
	return register.Register(command.Context(), &f.Options)
}

func printManifests(out io.Writer, o *register.Options) error {
	member, hub, err := register.Manifests(o)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "# For the member:")
	for _, object := range member {
		if err := printYAML(out, object.Object); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "# For the hub, with the token of the member's ServiceAccount in the place of TOKEN:")
	return printYAML(out, hub)
}

func printYAML(out io.Writer, object any) error {
	text, err := yaml.Marshal(object)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "---\n%s", text)
	return err
}

func newDeregisterCommand() *cobra.Command {
	hub, member := newHubFlags(), memberFlags{}
	o := register.Options{Wait: 12 * time.Minute}
	how := register.Leaving{}
	yes := false
	command := &cobra.Command{
		Use:   "deregister NAME",
		Short: "Deregister a member, and have it cleaned",
		Long: `Deregister a member: delete its Secret in the hub, and wait until the controller has removed from the member what it put there.
With --member-context it then removes fanout's identity from the member as well.

Exit codes: 0 deregistered, 1 failed or not confirmed, 2 a fault of the command line, 3 deregistered or on the way to it, but
the member is not known to be clean; what is printed says what is left.`,
		Example: `  fanout deregister eu-west-prod --member-context eu-west`,
		Args:    oneName,
		RunE: func(command *cobra.Command, args []string) error {
			o.Agent, o.ClusterNamespace, o.LeaseName = args[0], hub.clusterNamespace, hub.leaseName
			o.UserAgent, o.Timeout, o.Out = userAgent(), defaultFlags().requestTimeout, command.OutOrStdout()
			if o.Wait < 0 {
				return &usageError{command: command.CommandPath(), err: errors.New("--wait: must not be negative")}
			}
			var err error
			if o.Hub, err = hub.config(); err != nil {
				return err
			}
			if member.given() {
				if o.Member, err = member.config(); err != nil {
					return err
				}
			}
			if !yes {
				how.Confirm = func() bool { return agrees(command.InOrStdin(), command.OutOrStdout()) }
			}
			return register.Deregister(command.Context(), &o, how)
		},
	}
	hub.addTo(command.Flags())
	hub.addLeaseTo(command.Flags())
	member.addTo(command.Flags())
	command.Flags().BoolVar(&how.Keep, "keep", false, "Leave in the member what fanout put there.")
	command.Flags().BoolVarP(&yes, "yes", "y", false, "Do not ask.")
	command.Flags().DurationVar(&o.Wait, "wait", o.Wait, "How long to wait until the member is clean; 0 does not wait.")
	return command
}

// agrees asks whoever sits there.
func agrees(in io.Reader, out io.Writer) bool {
	fmt.Fprint(out, "Go on? (yes/no) ")
	answer, _ := bufio.NewReader(in).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "yes" || answer == "y"
}

// oneName wants a member's name and nothing else.
func oneName(command *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return &usageError{command: command.CommandPath(), err: errors.New("say the member's name")}
	case 1:
		return nil
	}
	return noArguments(command, args[1:])
}
