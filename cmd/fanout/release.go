package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/lease"
)

// releaseFlags are those of fanout release.
type releaseFlags struct {
	hub   *hubFlags
	wait  time.Duration
	force bool
}

func newReleaseCommand() *cobra.Command {
	f := &releaseFlags{hub: newHubFlags(), wait: 20 * time.Second}
	command := &cobra.Command{
		Use:   "release",
		Short: "Let go of the members' Secrets, so that fanout can be uninstalled",
		Long: `Let go of the members' Secrets: take fanout's finalizer off them, so that they, and their namespace, can be deleted
when no controller runs any more that would. The Secrets themselves stay.

What fanout put into the members stays there as well. To have it removed, delete the Secrets before you uninstall fanout,
and wait until they are gone.

Exit codes: 0 released, or there was nothing to release; 1 failed, or a controller still runs; 2 a fault of the command line.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if f.wait < 0 {
				return &usageError{command: command.CommandPath(), err: errors.New("--wait: must not be negative")}
			}
			return releaseSecrets(command.Context(), f, command.OutOrStdout())
		},
	}
	flags := command.Flags()
	f.hub.addTo(flags)
	f.hub.addLeaseTo(flags)
	flags.DurationVar(&f.wait, "wait", f.wait, "How long to wait for a controller to stop that holds the Lease; one that was killed holds it for 15s; 0 does not wait.")
	flags.BoolVar(&f.force, "force", f.force, "Do it even though a controller seems to run. It may put the finalizers back.")
	return command
}

func releaseSecrets(ctx context.Context, f *releaseFlags, out io.Writer) error {
	config, err := f.hub.config()
	if err != nil {
		return err
	}
	hub, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	namespace := f.hub.clusterNamespace
	if !f.force {
		if err := waitUntilNobodyLeads(ctx, hub, namespace, f.hub.leaseName, f.wait, out); err != nil {
			return err
		}
	}
	count := 0
	err = clusters.Release(ctx, hub, namespace, func(name string) {
		count++
		fmt.Fprintf(out, "secret/%s released\n", name)
	})
	switch {
	case err != nil:
		return err
	case count == 0:
		fmt.Fprintf(out, "No Secret in namespace %s is held by fanout.\n", namespace)
		return nil
	}
	kubeSystem, err := hub.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("find the hub's ID, for the command that cleans a member: %w", err)
	}
	fmt.Fprintf(out, "What was put into the members is still there. %s\n", derive.CleanupHint(string(kubeSystem.UID)))
	return nil
}

// waitUntilNobodyLeads returns an error if a controller still holds the Lease when the time is over. It says whom it waits for.
func waitUntilNobodyLeads(ctx context.Context, hub kubernetes.Interface, namespace, name string, patience time.Duration, out io.Writer) error {
	told := ""
	var holder string
	var lasts time.Duration
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var err error
		if holder, lasts, err = lease.Holder(ctx, hub, namespace, name, time.Now()); err != nil || holder == "" {
			return err
		}
		if told != holder && patience > 0 {
			fmt.Fprintf(out, "Waiting for %s to stop, which holds the Lease %s/%s\n", holder, namespace, name)
			told = holder
		}
		select {
		case <-bounded.Done():
			return fmt.Errorf("a controller runs: %s holds the Lease %s/%s. Delete the Secrets and it cleans the members and lets them go; or stop it and wait %s; or use --force",
				holder, namespace, name, lasts)
		case <-time.After(time.Second):
		}
	}
}
