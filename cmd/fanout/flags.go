package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	cliflag "k8s.io/component-base/cli/flag"
	componentbase "k8s.io/component-base/config"
	componentoptions "k8s.io/component-base/config/options"
	logsapi "k8s.io/component-base/logs/api/v1"

	"fanout/pkg/clusters"
)

// flags are the controller's.
type flags struct {
	kubeconfig        string
	clusterNamespace  string
	registration      []string
	bindAddress       string
	api               apiFlags
	createNamespaces  bool
	concurrentSyncs   int
	requestTimeout    time.Duration
	resyncPeriod      time.Duration
	orphanSweepPeriod time.Duration
	deregisterTimeout time.Duration
	probePeriod       time.Duration
	probeTimeout      time.Duration
	probeFailures     int
	shutdownTimeout   time.Duration
	profiling         bool
	shard             bool
	shardPort         int
	mirror            bool
	mirrorLimit       int
	leaderElection    componentbase.LeaderElectionConfiguration
	logs              *logsapi.LoggingConfiguration
}

func defaultFlags() *flags {
	return &flags{
		registration:      []string{string(clusters.Native)},
		bindAddress:       "0.0.0.0:8080",
		api:               apiFlags{bindAddresses: []string{"127.0.0.1:8082"}},
		createNamespaces:  true,
		concurrentSyncs:   8,
		requestTimeout:    30 * time.Second,
		resyncPeriod:      5 * time.Minute,
		orphanSweepPeriod: time.Hour,
		deregisterTimeout: 10 * time.Minute,
		probePeriod:       10 * time.Second,
		probeTimeout:      5 * time.Second,
		probeFailures:     3,
		shutdownTimeout:   15 * time.Second,
		mirrorLimit:       1000,
		leaderElection: componentbase.LeaderElectionConfiguration{
			LeaderElect:   true,
			LeaseDuration: metav1.Duration{Duration: 15 * time.Second},
			RenewDeadline: metav1.Duration{Duration: 10 * time.Second},
			RetryPeriod:   metav1.Duration{Duration: 2 * time.Second},
			ResourceLock:  resourcelock.LeasesResourceLock,
			ResourceName:  "fanout",
		},
		logs: logsapi.NewLoggingConfiguration(),
	}
}

// sections returns the flags in the groups that --help shows.
func (f *flags) sections() (sections cliflag.NamedFlagSets) {
	hub := sections.FlagSet("hub")
	hub.StringVar(&f.kubeconfig, "kubeconfig", f.kubeconfig, "Kubeconfig of the hub. Without it, the cluster that fanout runs in is the hub.")
	hub.StringVar(&f.clusterNamespace, "cluster-namespace", f.clusterNamespace, "Namespace in the hub with the Secrets that register members. By default the one fanout runs in.")
	hub.StringSliceVar(&f.registration, "registration", f.registration, "Formats of the Secrets that register members: native (fanout's own), capi (Cluster API's), argocd (Argo CD's).")
	hub.DurationVar(&f.resyncPeriod, "resync-period", f.resyncPeriod, "How often everything is compared again, from memory.")

	hub.BoolVar(&f.mirror, "mirror", f.mirror, "Keep a paused Canary <parent>.<agent> in the hub for each copy, which shows how that fares. Switched off again, they are removed.")
	hub.IntVar(&f.mirrorLimit, "mirror-limit", f.mirrorLimit, "How many of them there may be. A parent has one for each of its agents or none, and older parents come first.")

	members := sections.FlagSet("members")
	members.BoolVar(&f.createNamespaces, "create-namespaces", f.createNamespaces, "Create the namespace of a derived Canary in a member that lacks it. Namespaces are never deleted.")
	members.IntVar(&f.concurrentSyncs, "concurrent-syncs", f.concurrentSyncs, "Number of derived Canaries that are synced at the same time in one member.")
	members.DurationVar(&f.requestTimeout, "request-timeout", f.requestTimeout, "How long one request to a member or to the hub may take, watches aside.")
	members.DurationVar(&f.orphanSweepPeriod, "orphan-sweep-period", f.orphanSweepPeriod, "How often the derived Canaries of a member are listed afresh.")
	members.DurationVar(&f.deregisterTimeout, "deregister-timeout", f.deregisterTimeout, "How long the deletion of a member's Secret waits for a member that can't be cleaned.")
	members.DurationVar(&f.probePeriod, "probe-period", f.probePeriod, "How often a member is probed, and the longest pause between attempts to reach it.")
	members.DurationVar(&f.probeTimeout, "probe-timeout", f.probeTimeout, "How long one probe may take.")
	members.IntVar(&f.probeFailures, "probe-failure-threshold", f.probeFailures, "Number of failed probes in a row after which a member is unreachable.")

	serving := sections.FlagSet("serving")
	serving.StringVar(&f.bindAddress, "bind-address", f.bindAddress, "IP address and port for /healthz, /readyz and /metrics.")
	f.api.addTo(serving)
	serving.BoolVar(&f.profiling, "profiling", f.profiling, "Serve profiles of CPU and memory at /debug/pprof on --bind-address, to whoever can reach that.")
	serving.DurationVar(&f.shutdownTimeout, "shutdown-timeout", f.shutdownTimeout, "How long stopping may take before the process ends anyway.")

	sharing := sections.FlagSet("sharing")
	sharing.IntVar(&f.shardPort, "shard-port", f.shardPort, "Port at which replicas that share tell each other what their members report, at the address from which this one reaches the hub. 0 is any.")
	sharing.BoolVar(&f.shard, "shard", f.shard, "Have all replicas work, each with its share of the members, instead of one that leads. The flags of leader election say how long a replica's Lease holds.")
	componentoptions.BindLeaderElectionFlags(&f.leaderElection, sections.FlagSet("leader election"))
	logsapi.AddFlags(f.logs, sections.FlagSet("logs"))
	return sections
}

// complete fills in what depends on where fanout runs.
func (f *flags) complete() {
	if f.clusterNamespace == "" {
		f.clusterNamespace = ownNamespace()
	}
	if f.leaderElection.ResourceNamespace == "" {
		f.leaderElection.ResourceNamespace = f.clusterNamespace
	}
}

// hub is the configuration of a client for the hub.
func (f *flags) hub() (*rest.Config, error) {
	if f.kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, errors.New("find the hub: fanout does not run in a cluster here, so say which one is the hub, with --kubeconfig FILE")
		}
		if err != nil {
			return nil, fmt.Errorf("find the hub, which is the cluster that fanout runs in unless --kubeconfig names another: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("find the hub (--kubeconfig): %w", err)
	}
	return config, nil
}

// ownNamespace is the namespace of the pod that fanout runs in, or the chart's where it runs in none.
func ownNamespace() string {
	data, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	if namespace := strings.TrimSpace(string(data)); err == nil && namespace != "" {
		return namespace
	}
	return "fanout-system"
}

// validate returns all faults at once.
func (f *flags) validate() error {
	var faults []error
	positive := func(name string, value time.Duration) {
		if value <= 0 {
			faults = append(faults, fmt.Errorf("--%s: must be greater than zero, not %s", name, value))
		}
	}
	positive("resync-period", f.resyncPeriod)
	positive("orphan-sweep-period", f.orphanSweepPeriod)
	positive("deregister-timeout", f.deregisterTimeout)
	positive("request-timeout", f.requestTimeout)
	positive("probe-period", f.probePeriod)
	positive("probe-timeout", f.probeTimeout)
	positive("shutdown-timeout", f.shutdownTimeout)
	if f.concurrentSyncs < 1 {
		faults = append(faults, fmt.Errorf("--concurrent-syncs: must be at least 1, not %d", f.concurrentSyncs))
	}
	if f.probeFailures < 1 {
		faults = append(faults, fmt.Errorf("--probe-failure-threshold: must be at least 1, not %d", f.probeFailures))
	}
	if f.mirrorLimit < 1 {
		faults = append(faults, fmt.Errorf("--mirror-limit: must be at least 1, not %d", f.mirrorLimit))
	}
	if f.mirror && f.shard {
		faults = append(faults, errors.New("--mirror: not with --shard, since no replica knows how many mirrors the others keep"))
	}
	for _, fault := range content.IsDNS1123Label(f.clusterNamespace) {
		faults = append(faults, fmt.Errorf("--cluster-namespace %q: %s", f.clusterNamespace, fault))
	}
	if _, err := clusters.ParseFormats(f.registration); err != nil {
		faults = append(faults, fmt.Errorf("--registration: %w", err))
	}
	if _, _, err := net.SplitHostPort(f.bindAddress); err != nil {
		faults = append(faults, fmt.Errorf("--bind-address %q: must be an IP address and a port, such as 0.0.0.0:8080", f.bindAddress))
	}
	faults = append(faults, f.api.faults()...)
	if l := f.leaderElection; l.LeaderElect || f.shard {
		if l.ResourceName == "" {
			faults = append(faults, errors.New("--leader-elect-resource-name: must not be empty"))
		}
		if l.LeaseDuration.Duration < time.Second { // a Lease counts in whole seconds
			faults = append(faults, fmt.Errorf("--leader-elect-lease-duration: must be at least 1s, not %s", l.LeaseDuration.Duration))
		}
		if l.LeaseDuration.Duration <= l.RenewDeadline.Duration {
			faults = append(faults, errors.New("--leader-elect-lease-duration: must be greater than --leader-elect-renew-deadline"))
		}
		if l.RenewDeadline.Duration <= 2*l.RetryPeriod.Duration || l.RetryPeriod.Duration <= 0 {
			faults = append(faults, errors.New("--leader-elect-renew-deadline: must be greater than twice --leader-elect-retry-period, which must be greater than zero"))
		}
		if l.ResourceLock != resourcelock.LeasesResourceLock {
			faults = append(faults, fmt.Errorf("--leader-elect-resource-lock %q: only %q is supported", l.ResourceLock, resourcelock.LeasesResourceLock))
		}
	}
	if f.shardPort < 0 || f.shardPort > 65535 {
		faults = append(faults, fmt.Errorf("--shard-port: must be a port, or 0 for any, not %d", f.shardPort))
	}
	for _, module := range append(f.logs.VModule, logsapi.VModuleItem{Verbosity: f.logs.Verbosity}) {
		if module.Verbosity > maxVerbosity {
			faults = append(faults, fmt.Errorf("--v, --vmodule: must be at most %d, not %d: above that the bodies of requests are logged, Secrets among them", maxVerbosity, module.Verbosity))
		}
	}
	for _, fault := range logsapi.Validate(f.logs, nil, nil) {
		faults = append(faults, fmt.Errorf("--%s: %s", logFlag(fault.Field), fault.ErrorBody()))
	}
	return errors.Join(faults...)
}

// maxVerbosity is the level above which client-go logs what is sent and answered.
const maxVerbosity = 7

// logFlag is the flag that sets a field of the logging configuration.
func logFlag(field string) string {
	switch field {
	case "format":
		return "logging-format"
	case "flushFrequency":
		return "log-flush-frequency"
	case "verbosity":
		return "v"
	default:
		return field
	}
}

// mirrors is how many mirrors there may be.
func (f *flags) mirrors() int {
	if !f.mirror {
		return 0
	}
	return f.mirrorLimit
}

func addAll(to *pflag.FlagSet, sections cliflag.NamedFlagSets) {
	for _, set := range sections.FlagSets {
		to.AddFlagSet(set)
	}
}
