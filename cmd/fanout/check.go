package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fanout/pkg/check"
	"fanout/pkg/clusters"
)

func newCheckCommand() *cobra.Command {
	hub := newHubFlags()
	o := check.Options{ServiceAccount: "fanout"}
	registration, output := []string{string(clusters.Native)}, ""
	command := &cobra.Command{
		Use:   "check",
		Short: "Say what stands in the way, before and after installing",
		Long: `Say what stands in the way of fanout in the hub, a line for each thing that was looked at, with the next step where one is
needed. It changes nothing. What you have no right to look at is shown with a question mark.

Exit codes: 0 nothing stands in the way, 1 something does, 2 a fault of the command line.`,
		Example: `  fanout check --pre         # before it is installed
  fanout check --members     # and reach each member, from here`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			usage := func(err error) error { return &usageError{command: command.CommandPath(), err: err} }
			if output != "" && output != "json" {
				return usage(fmt.Errorf("--output %q: must be json", output))
			}
			var err error
			if o.Formats, err = clusters.ParseFormats(registration); err != nil {
				return usage(fmt.Errorf("--registration: %w", err))
			}
			if o.Hub, err = hub.config(); err != nil {
				return err
			}
			o.ClusterNamespace, o.LeaseName, o.UserAgent, o.Timeout = hub.clusterNamespace, hub.leaseName, userAgent(), defaultFlags().requestTimeout
			return runCheck(command, o, output == "json")
		},
	}
	flags := command.Flags()
	hub.addTo(flags)
	hub.addLeaseTo(flags)
	flags.BoolVar(&o.Before, "pre", false, "Look only at what has to be there before fanout is installed.")
	flags.BoolVar(&o.Page, "page", false, "Look for the rights as well that it takes to ask those who come for the page who they are.")
	flags.BoolVar(&o.Members, "members", false, "Reach each member with its credential, from here.")
	flags.StringVar(&o.ServiceAccount, "service-account", o.ServiceAccount, "ServiceAccount in --cluster-namespace that the controller runs as.")
	flags.StringSliceVar(&registration, "registration", registration, "Formats of the Secrets that register members: native, capi, argocd.")
	flags.StringVarP(&output, "output", "o", output, "json: print a list of all results.")
	return command
}

func runCheck(command *cobra.Command, o check.Options, asJSON bool) error {
	out := command.OutOrStdout()
	results, failed := []check.Result{}, 0
	err := check.Run(command.Context(), o, func(result check.Result) {
		results = append(results, result)
		if result.Status == check.Failed {
			failed++
		}
		if asJSON {
			return
		}
		fmt.Fprintf(out, "%s %s: %s\n", map[check.Status]string{check.OK: "✓", check.Failed: "✗", check.Unknown: "?"}[result.Status], result.Check, result.Message)
		if result.Next != "" {
			fmt.Fprintf(out, "  next: %s\n", result.Next)
		}
	})
	if err != nil {
		return err
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(results); err != nil {
			return err
		}
	}
	if failed > 0 {
		return errors.New(map[bool]string{true: "1 check failed", false: fmt.Sprintf("%d checks failed", failed)}[failed == 1])
	}
	return nil
}
