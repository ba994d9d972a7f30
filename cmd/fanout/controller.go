package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/clusters"
	"fanout/pkg/fanout"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/shard"
	"fanout/pkg/shard/leases"
)

func newControllerCommand() *cobra.Command {
	f := defaultFlags()
	sections := f.sections()
	command := &cobra.Command{
		Use:   "controller",
		Short: "Run the controller",
		Long: `Run the controller: watch the Canaries of the hub that carry an agentSelector, and keep a derived Canary in
every member that it matches. Members are registered by Secrets in --cluster-namespace.`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			f.complete()
			if err := f.validate(); err != nil {
				return &usageError{command: command.CommandPath(), err: err}
			}
			if err := logsapi.ValidateAndApply(f.logs, nil); err != nil {
				return &usageError{command: command.CommandPath(), err: err}
			}
			return runController(command.Context(), f)
		},
	}
	addAll(command.Flags(), sections)
	cliflag.SetUsageAndHelpFunc(command, sections, 0)
	return command
}

// runController runs until ctx ends, and then stops in an order: the work, the lease, the endpoints.
func runController(ctx context.Context, f *flags) error {
	logger := klog.FromContext(ctx)
	config, err := f.hub()
	if err != nil {
		return err
	}
	rest.AddUserAgent(config, userAgent())
	config.QPS = -1 // what is asked of the hub is bounded by what happens there
	hub, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	formats, err := clusters.ParseFormats(f.registration)
	if err != nil {
		return fmt.Errorf("--registration: %w", err)
	}

	metrics := prometheus.NewRegistry()
	leader := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fanout_leader",
		Help: "1 while this process works, as the leader or as one of several that share the members; 0 while it stands by.",
	})
	shardMetrics := leases.NewMetrics(metrics)
	var sharing *sharer
	var share *shard.Share
	var name string
	var owner func(string) string
	toMembers := userAgent()
	if f.shard {
		if sharing, err = newReplica(hub, config, f, shardMetrics); err != nil {
			return err
		}
		share, name, owner = sharing.Share(), sharing.Name(), sharing.Owner
		// For the audit logs of those that are written to: which of the replicas did.
		toMembers += " replica/" + name
		config.UserAgent += " replica/" + name
	}
	config.Wrap(share.Fence)
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	canaries, err := clusters.RESTFor(config, client)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("connect to the hub: %w", err)
	}
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), leader)
	listener, err := net.Listen("tcp", f.bindAddress)
	if err != nil {
		return fmt.Errorf("listen on --bind-address: %w", err)
	}
	health := &health{}
	endpoints := serve(listener, probes(health, metrics, f.profiling))
	defer endpoints.stop()
	logger.Info("Serving /healthz, /readyz and /metrics", "address", listener.Addr().String())
	source := newSource(health, f)
	stopTelling, err := tell(logger, hub, source, &f.api)
	if err != nil {
		return err
	}
	defer stopTelling()

	hubID, err := identify(ctx, hub, f)
	if ctx.Err() != nil {
		logger.Info("Stopped before the hub answered")
		return nil // as it was asked to
	}
	if err != nil {
		return err
	}
	logger.Info("Starting", "version", userAgent(), "hub", hubID, "clusterNamespace", f.clusterNamespace)
	events := record.NewBroadcaster(record.WithContext(ctx))
	defer events.Shutdown()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: hub.CoreV1().Events("")})
	recorder := events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "fanout"})

	controllerMetrics, registryMetrics := fanout.NewMetrics(metrics), clusters.NewMetrics(metrics, clock.RealClock{})
	stopped := make(chan struct{})
	defer close(stopped)
	go boundShutdown(ctx, logger, f.shutdownTimeout, stopped)
	health.ready.Store(true)
	defer health.ready.Store(false)
	work := func(ctx context.Context) {
		leader.Set(1)
		defer leader.Set(0)
		controller := fanout.New(canaries, fanout.Options{
			HubID:             hubID,
			CreateNamespaces:  f.createNamespaces,
			ConcurrentSyncs:   f.concurrentSyncs,
			RequestTimeout:    f.requestTimeout,
			ResyncPeriod:      f.resyncPeriod,
			OrphanSweepPeriod: f.orphanSweepPeriod,
			Share:             share,
			MirrorLimit:       f.mirrors(),
			Version:           version.Get().GitVersion,
			Replica:           name,
			Owner:             owner,
			Recorder:          recorder,
			Metrics:           controllerMetrics,
			Clock:             clock.RealClock{},
		})
		registry := clusters.New(hub, controller, clusters.Options{
			HubID:             hubID,
			Namespace:         f.clusterNamespace,
			Formats:           formats,
			Metadata:          objects,
			UserAgent:         toMembers,
			ProbePeriod:       f.probePeriod,
			ProbeTimeout:      f.probeTimeout,
			ProbeFailures:     f.probeFailures,
			DeregisterTimeout: f.deregisterTimeout,
			CleanupHint:       derive.CleanupHint(hubID),
			Share:             share,
			Recorder:          recorder,
			Metrics:           registryMetrics,
			Clock:             clock.RealClock{},
		})
		var told api.Source = controller
		if sharing != nil {
			together := sharing.together(controller)
			defer together.Close()
			told = together
		}
		defer source.tellOf(told)()
		var running sync.WaitGroup
		running.Go(func() { controller.Run(ctx) })
		running.Go(func() { registry.Run(ctx) })
		if sharing != nil {
			running.Go(func() { sharing.exchange(ctx, controller) })
		}
		running.Wait()
	}
	if sharing != nil {
		sharing.shareWork(ctx, work)
		return nil
	}
	return lead(ctx, hub, recorder, f.leaderElection, health, afterReplicas(hub, f, work))
}

// boundShutdown ends the process if, after ctx has ended, it has not stopped within timeout: something hangs.
func boundShutdown(ctx context.Context, logger klog.Logger, timeout time.Duration, stopped <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-stopped:
		return
	}
	logger.Info("Stopping", "timeout", timeout)
	select {
	case <-time.After(timeout):
		logger.Error(nil, "Did not stop in time; ending anyway", "timeout", timeout)
		klog.Flush()
		os.Exit(exitFailure)
	case <-stopped:
	}
}

// identify asks the hub for its ID, until it answers: a hub that is away is no reason to crash.
func identify(ctx context.Context, hub kubernetes.Interface, f *flags) (string, error) {
	var id string
	delay := wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.5, Steps: 5, Cap: 15 * time.Second}.DelayFunc()
	err := delay.Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, f.requestTimeout)
		defer cancel()
		namespace, err := hub.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
		if err != nil {
			klog.FromContext(ctx).Error(err, "The hub does not tell its ID (the UID of its namespace kube-system); trying again")
			return false, nil
		}
		id = string(namespace.UID)
		return true, nil
	})
	return id, err
}
