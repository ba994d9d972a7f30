package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"fanout/pkg/fanout/derive"
)

// Where these are set, this program is a floor.
const (
	floorNamespace = "FANOUT_BENCH_FLOOR_NAMESPACE"
	floorFolder    = "FANOUT_BENCH_FLOOR_KUBECONFIGS" // with hub and members
	floorWatches   = "FANOUT_BENCH_FLOOR_WATCHES"
)

// concurrentSyncs is fanout's default, and the floor's.
const concurrentSyncs = 8

// floor is the bare client-go program that fanout is measured against: it makes the same requests and does nothing
// else. No selector, no ownership, no drift, no restart.
type floor struct {
	members []dynamic.Interface
	slots   []chan struct{} // per member, as many as fanout's --concurrent-syncs
}

// runFloor is the floor's process: it applies each Canary of a namespace of the hub that comes or changes to every member. It ends
// with its standard input.
func runFloor() error {
	folder, namespace := os.Getenv(floorFolder), os.Getenv(floorNamespace)
	hub, err := clientOf(filepath.Join(folder, "hub"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "member-*"))
	if err != nil {
		return err
	}
	f, ctx := &floor{}, context.Background()
	for _, file := range files {
		member, err := clientOf(file)
		if err != nil {
			return err
		}
		f.members, f.slots = append(f.members, member), append(f.slots, make(chan struct{}, concurrentSyncs))
		if err := createNamespace(ctx, member, namespace); err != nil {
			return err
		}
		if os.Getenv(floorWatches) != "" {
			if err := drain(ctx, member, namespace); err != nil {
				return err
			}
		}
	}
	changes, err := hub.Resource(derive.Canaries).Namespace(namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	fmt.Println("ready", namespace)
	go f.follow(ctx, changes)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func clientOf(kubeconfig string) (dynamic.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return dynamic.NewForConfig(config)
}

func createNamespace(ctx context.Context, member dynamic.Interface, name string) error {
	namespace := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
	_, err := member.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")).Create(ctx, namespace, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// drain holds the watch that whoever puts drift back must hold.
func drain(ctx context.Context, member dynamic.Interface, namespace string) error {
	copies, err := member.Resource(derive.Canaries).Watch(ctx, metav1.ListOptions{LabelSelector: floorLabel + "=" + namespace})
	if err != nil {
		return err
	}
	go func() {
		for range copies.ResultChan() {
		}
	}()
	return nil
}

const floorLabel = "bench.fanout.flanksource.com/floor"

func (f *floor) follow(ctx context.Context, changes watch.Interface) {
	for change := range changes.ResultChan() {
		canary, ok := change.Object.(*unstructured.Unstructured)
		if !ok || change.Type == watch.Deleted {
			continue
		}
		for i, member := range f.members {
			f.slots[i] <- struct{}{}
			go func() {
				defer func() { <-f.slots[i] }()
				if err := apply(ctx, member, canary); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}()
		}
	}
}

func apply(ctx context.Context, member dynamic.Interface, canary *unstructured.Unstructured) error {
	labels := canary.GetLabels() // a copy
	if labels == nil {
		labels = map[string]string{}
	}
	labels[floorLabel] = canary.GetNamespace()
	body, err := json.Marshal(map[string]any{
		"apiVersion": canary.GetAPIVersion(), "kind": canary.GetKind(), "spec": canary.Object["spec"],
		"metadata": map[string]any{"name": canary.GetName(), "namespace": canary.GetNamespace(), "labels": labels},
	})
	if err != nil {
		return err
	}
	force := true
	_, err = member.Resource(derive.Canaries).Namespace(canary.GetNamespace()).Patch(ctx, canary.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "floor", Force: &force})
	return err
}

// startFloor starts a floor for a namespace. It ends with the test at the latest.
func startFloor(t *testing.T, namespace string, watches bool, hub []byte, members [][]byte) contender {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, kubeconfig []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), kubeconfig, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hub", hub)
	for i, kubeconfig := range members {
		write(agent(i), kubeconfig)
	}
	environment := []string{floorNamespace + "=" + namespace, floorFolder + "=" + folder}
	if watches {
		environment = append(environment, floorWatches+"=yes")
	}
	pid, _, stop := startAgain(t, environment...)
	return contender{namespace: namespace, pid: pid, stop: stop}
}
