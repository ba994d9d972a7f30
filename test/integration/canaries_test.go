package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"fanout/test/fixture"
)

// Every Canary of canary-checker's own goes through the hub and arrives whole, and leaves by every way out.
func TestEveryUpstreamCanary(t *testing.T) {
	w := newWorld(t, agents...)
	w.startFanout(t)
	w.hub.Namespace(t, w.canaries)
	var canaries []*unstructured.Unstructured
	for file, documents := range readCanaries(t, fixture.UpstreamCanaries(t)) {
		for _, canary := range documents {
			canary.SetNamespace(w.canaries)
			fixture.Select(canary, "*-prod")
			created, err := w.hub.Canaries(w.canaries).Create(t.Context(), canary, metav1.CreateOptions{})
			if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
				t.Logf("%s: the API server refuses it, so no hub can hold it: %v", file, err)
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			canaries = append(canaries, created)
		}
	}
	if len(canaries) == 0 {
		t.Fatal("the hub accepted none, which shows nothing")
	}
	t.Logf("%d Canaries in the hub", len(canaries))
	for _, canary := range canaries {
		w.expectDerived(t, "eu-west-prod", canary.GetName())
		w.expectDerived(t, "us-east-prod", canary.GetName())
	}
	w.expectCount(t, "eu-west-prod", len(canaries))
	w.expectCount(t, "us-east-prod", len(canaries))
	w.expectCount(t, "ap-south-dev", 0)

	everywhere := map[string]int{}
	for _, agent := range agents {
		everywhere[agent] = len(canaries)
	}
	waysOut := []struct {
		name  string
		patch string // of the parent; empty deletes it
		left  map[string]int
	}{
		{"narrow", `{"spec":{"agentSelector":["eu-west-prod","ap-south-dev"]}}`, map[string]int{"eu-west-prod": len(canaries), "ap-south-dev": len(canaries)}},
		{"exclude", `{"spec":{"agentSelector":["eu-west-prod","ap-south-dev","!*-dev"]}}`, map[string]int{"eu-west-prod": len(canaries)}},
		{"remove the selector", `{"spec":{"agentSelector":null}}`, nil},
		{"select again", `{"spec":{"agentSelector":["*"]}}`, everywhere},
		{"delete the parent", "", nil},
	}
	for _, way := range waysOut {
		t.Log(way.name)
		for _, canary := range canaries {
			if way.patch == "" {
				w.hub.Delete(t, w.canaries, canary.GetName())
			} else {
				w.hub.Patch(t, w.canaries, canary.GetName(), way.patch)
			}
		}
		for _, agent := range agents {
			w.expectCount(t, agent, way.left[agent])
		}
	}
}

// expectCount waits until agent's cluster holds so many Canaries, ours or not.
func (w *world) expectCount(t *testing.T, agent string, want int) {
	t.Helper()
	fixture.Eventually(t, fmt.Sprintf("%s holds %d Canaries", agent, want), func() error {
		return fixture.Same("their number", len(w.members[agent].List(t)), want)
	})
}

// readCanaries reads the Canary documents of a folder's YAML files, each under a name of its own.
func readCanaries(t *testing.T, folder string) map[string][]*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	canaries := map[string][]*unstructured.Unstructured{}
	for i, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Base(path)
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
		for {
			canary := &unstructured.Unstructured{}
			err := decoder.Decode(&canary.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if canary.GetKind() == "Canary" {
				canary.SetName(fmt.Sprintf("upstream-%d-%d", i, len(canaries[file])))
				canaries[file] = append(canaries[file], canary)
			}
		}
	}
	return canaries
}
