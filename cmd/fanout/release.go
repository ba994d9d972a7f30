package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout"
)

// releaseFlags are those of fanout release.
type releaseFlags struct {
	kubeconfig, context string
	clusterNamespace    string
	leaseName           string
	force               bool
}

func newReleaseCommand() *cobra.Command {
	f := &releaseFlags{clusterNamespace: "fanout-system", leaseName: defaultFlags().leaderElection.ResourceName}
	command := &cobra.Command{
		Use:   "release",
		Short: "Let go of the members' Secrets, so that fanout can be uninstalled",
		Long: `Let go of the members' Secrets: take fanout's finalizer off them, so that they, and their namespace, can be deleted
when no controller runs any more that would. The Secrets themselves stay.

What fanout put into the members stays there as well. To have it removed, delete the Secrets before you uninstall fanout,
and wait until they are gone.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return releaseSecrets(command.Context(), f, command.OutOrStdout())
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", f.kubeconfig, "Kubeconfig of the hub. By default the one that kubectl uses.")
	flags.StringVar(&f.context, "context", f.context, "Context of the kubeconfig. By default its current one.")
	flags.StringVar(&f.clusterNamespace, "cluster-namespace", f.clusterNamespace, "Namespace in the hub with the Secrets that register members.")
	flags.StringVar(&f.leaseName, "leader-elect-resource-name", f.leaseName, "Name of the Lease by which a controller that still runs is known, in the same namespace.")
	flags.BoolVar(&f.force, "force", f.force, "Do it even though a controller seems to run. It may put the finalizers back.")
	return command
}

func releaseSecrets(ctx context.Context, f *releaseFlags, out io.Writer) error {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if err != nil {
		return fmt.Errorf("find the hub (--kubeconfig, --context): %w", err)
	}
	config.UserAgent = userAgent()
	config.Timeout = defaultFlags().requestTimeout
	hub, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	if !f.force {
		if err := checkNobodyLeads(ctx, hub, f.clusterNamespace, f.leaseName); err != nil {
			return err
		}
	}
	count := 0
	err = clusters.Release(ctx, hub, f.clusterNamespace, func(name string) {
		count++
		fmt.Fprintf(out, "secret/%s released\n", name)
	})
	switch {
	case err != nil:
		return err
	case count == 0:
		fmt.Fprintf(out, "No Secret in namespace %s is held by fanout.\n", f.clusterNamespace)
		return nil
	}
	kubeSystem, err := hub.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("find the hub's ID, for the command that cleans a member: %w", err)
	}
	fmt.Fprintf(out, "What was put into the members is still there. %s\n", fanout.CleanupHint(string(kubeSystem.UID)))
	return nil
}

// checkNobodyLeads returns an error while a controller holds the Lease.
func checkNobodyLeads(ctx context.Context, hub kubernetes.Interface, namespace, name string) error {
	lease, err := hub.CoordinationV1().Leases(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("see whether a controller runs: %w", err)
	}
	spec := lease.Spec
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return nil
	}
	lasts := time.Duration(*spec.LeaseDurationSeconds) * time.Second
	if time.Since(spec.RenewTime.Time) > lasts {
		return nil
	}
	return fmt.Errorf("a controller runs: %s holds the Lease %s/%s. Delete the Secrets and it cleans the members and lets them go; or stop it and wait %s; or use --force",
		*spec.HolderIdentity, namespace, name, lasts)
}
