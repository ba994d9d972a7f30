package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout"
	"fanout/test/fixture"
)

const (
	members         = 10
	copies          = 1000 // of BenchmarkFill, over all members
	concurrentSyncs = 8
)

func agent(i int) string { return fmt.Sprintf("member-%d", i) }

// field is a hub with its members, fanout at work between them in one namespace and the floor in another.
type field struct {
	hub     *fixture.Cluster
	members []*fixture.Cluster
}

const (
	ofFanout = "bench-fanout"
	ofFloor  = "bench-floor"
)

func newField(b *testing.B) *field {
	b.Helper()
	crd := fixture.CRD(b)
	f := &field{hub: fixture.In(b, planes, "hub")}
	for i := range members {
		f.members = append(f.members, fixture.In(b, planes, agent(i)))
	}
	for _, cluster := range append([]*fixture.Cluster{f.hub}, f.members...) {
		if err := cluster.InstallCRD(b.Context(), crd); err != nil {
			b.Fatal(err)
		}
		cluster.Namespace(b, ofFanout)
		cluster.Namespace(b, ofFloor)
		b.Cleanup(func() { cluster.Clean(b, ofFanout) })
	}
	bare := &floor{}
	for i, member := range f.members {
		f.hub.Register(b, ofFanout, agent(i), member.Kubeconfig)
		bare.members = append(bare.members, member.Dynamic)
		bare.slots = append(bare.slots, make(chan struct{}, concurrentSyncs))
	}
	ctx, cancel := context.WithCancel(context.Background())
	bare.run(ctx, b, f.hub.Dynamic, ofFloor)
	stopped := f.startFanout(ctx, b)
	b.Cleanup(func() {
		cancel()
		<-stopped
	})
	return f
}

func (f *field) startFanout(ctx context.Context, b *testing.B) (stopped <-chan struct{}) {
	b.Helper()
	namespace, err := f.hub.Kube.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		b.Fatal(err)
	}
	hubID := string(namespace.UID)
	metrics := prometheus.NewRegistry()
	client, err := rest.HTTPClientFor(f.hub.Config)
	if err != nil {
		b.Fatal(err)
	}
	canaries, err := clusters.RESTFor(f.hub.Config, client)
	if err != nil {
		b.Fatal(err)
	}
	controller := fanout.New(canaries, fanout.Options{
		HubID: hubID, ConcurrentSyncs: concurrentSyncs,
		RequestTimeout: time.Minute, ResyncPeriod: 5 * time.Minute, OrphanSweepPeriod: time.Hour,
		Recorder: &record.FakeRecorder{}, Metrics: fanout.NewMetrics(metrics), Clock: clock.RealClock{},
	})
	registry := clusters.New(f.hub.Kube, controller, clusters.Options{
		HubID: hubID, Namespace: ofFanout, Formats: clusters.Formats{clusters.Native}, UserAgent: "fanout/bench",
		ProbePeriod: 10 * time.Second, ProbeTimeout: 5 * time.Second, ProbeFailures: 3, DeregisterTimeout: time.Minute,
		Recorder: &record.FakeRecorder{}, Metrics: clusters.NewMetrics(metrics, clock.RealClock{}), Clock: clock.RealClock{},
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var group sync.WaitGroup
		group.Go(func() { controller.Run(ctx) })
		group.Go(func() { registry.Run(ctx) })
		group.Wait()
	}()
	return done
}

// canary returns a Canary that is a parent in fanout's namespace and none in the floor's.
func (f *field) canary(namespace, name string) *unstructured.Unstructured {
	if namespace == ofFloor {
		return fixture.Canary(namespace, name)
	}
	return fixture.Canary(namespace, name, "*")
}

// edit changes a parent and returns how long it took until the last member held the change.
func (f *field) edit(b *testing.B, namespace, schedule string) time.Duration {
	b.Helper()
	canary := f.canary(namespace, "edited")
	canary.Object["spec"].(map[string]any)["schedule"] = schedule
	arrived := f.await(b, namespace, 1, func(found *unstructured.Unstructured) bool {
		got, _, _ := unstructured.NestedString(found.Object, "spec", "schedule")
		return got == schedule
	})
	start := time.Now()
	f.hub.Apply(b, canary)
	arrived()
	return time.Since(start)
}

// fill creates as many parents as make the wanted number of copies, and returns the time and the CPU time, of this
// process, until the last copy stood.
func (f *field) fill(b *testing.B, namespace string, round int) (took, cpu time.Duration) {
	b.Helper()
	arrived := f.await(b, namespace, copies/members, func(found *unstructured.Unstructured) bool {
		return found.GetLabels()["round"] == fmt.Sprint(round)
	})
	start, used := time.Now(), cpuTime(b)
	for i := range copies / members {
		canary := f.canary(namespace, fmt.Sprintf("fill-%d-%d", round, i))
		canary.SetLabels(map[string]string{"round": fmt.Sprint(round)})
		if _, err := f.hub.Canaries(namespace).Create(b.Context(), canary, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	arrived()
	return time.Since(start), cpuTime(b) - used
}

// await watches every member, and returns a function that returns when each holds so many objects as wanted.
func (f *field) await(b *testing.B, namespace string, count int, wanted func(*unstructured.Unstructured) bool) func() {
	b.Helper()
	var group sync.WaitGroup
	for _, member := range f.members {
		changes, err := member.Canaries(namespace).Watch(b.Context(), metav1.ListOptions{})
		if err != nil {
			b.Fatal(err)
		}
		group.Go(func() {
			defer changes.Stop()
			seen := map[string]bool{}
			for len(seen) < count {
				change, open := <-changes.ResultChan()
				if !open {
					b.Error("a member's watch ended")
					return
				}
				if found, ok := change.Object.(*unstructured.Unstructured); ok && wanted(found) {
					seen[found.GetName()] = true
				}
			}
		})
	}
	return group.Wait
}

// BenchmarkEdit is one edit to ten members.
func BenchmarkEdit(b *testing.B) {
	f := newField(b)
	for _, namespace := range []string{ofFloor, ofFanout} {
		f.edit(b, namespace, "@every 1h") // created, connected and warm
	}
	var bare, ours []time.Duration
	for i := 0; b.Loop(); i++ {
		bare = append(bare, f.edit(b, ofFloor, fmt.Sprintf("@every %dm", i+1)))
		ours = append(ours, f.edit(b, ofFanout, fmt.Sprintf("@every %dm", i+1)))
	}
	report(b, bare, ours, "")
}

// BenchmarkFill is a thousand new copies in ten members.
func BenchmarkFill(b *testing.B) {
	f := newField(b)
	for _, namespace := range []string{ofFloor, ofFanout} {
		f.edit(b, namespace, "@every 1h")
	}
	var bare, ours, bareCPU, oursCPU []time.Duration
	for round := 0; b.Loop(); round++ {
		took, cpu := f.fill(b, ofFloor, round)
		bare, bareCPU = append(bare, took), append(bareCPU, cpu)
		took, cpu = f.fill(b, ofFanout, round)
		ours, oursCPU = append(ours, took), append(oursCPU, cpu)
	}
	report(b, bare, ours, "")
	report(b, bareCPU, oursCPU, "cpu-")
}

// report gives the medians and their ratio.
func report(b *testing.B, bare, ours []time.Duration, what string) {
	slices.Sort(bare)
	slices.Sort(ours)
	low, high := bare[len(bare)/2], ours[len(ours)/2]
	b.ReportMetric(low.Seconds()*1000, what+"floor-ms")
	b.ReportMetric(high.Seconds()*1000, what+"fanout-ms")
	b.ReportMetric(float64(high)/float64(low), what+"ratio")
	b.ReportMetric(0, "ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
