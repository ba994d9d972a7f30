package main

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// upstreamCRD is canary-checker's own, which lies beside the repository where fanout is developed.
const upstreamCRD = "../../../shared/upstream/Canary.crd.yaml"

func TestDemoCRDIsTheUpstreamOneButForItsSpec(t *testing.T) {
	data, err := os.ReadFile(upstreamCRD)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip("canary-checker's own CRD is missing: put it at " + upstreamCRD + " to compare with it")
	}
	if err != nil {
		t.Fatal(err)
	}
	upstream := parse(t, data)
	data, err = os.ReadFile("canary-crd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ours := parse(t, data)

	for _, path := range [][]string{
		{"metadata", "name"},
		{"spec", "group"},
		{"spec", "names"},
		{"spec", "scope"},
	} {
		same(t, path, at(t, upstream, path...), at(t, ours, path...))
	}
	upstream, ours = onlyVersion(t, upstream), onlyVersion(t, ours)
	for _, path := range [][]string{
		{"name"},
		{"served"},
		{"storage"},
		{"subresources"},
		{"additionalPrinterColumns"},
		{"schema", "openAPIV3Schema", "properties", "status"},
		{"schema", "openAPIV3Schema", "properties", "spec", "properties", "agentSelector"},
		{"schema", "openAPIV3Schema", "properties", "spec", "properties", "schedule"},
		{"schema", "openAPIV3Schema", "properties", "spec", "properties", "replicas"},
	} {
		same(t, path, at(t, upstream, path...), at(t, ours, path...))
	}
}

func parse(t *testing.T, data []byte) any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func onlyVersion(t *testing.T, crd any) any {
	t.Helper()
	versions, _ := at(t, crd, "spec", "versions").([]any)
	if len(versions) != 1 {
		t.Fatalf("the CRD has %d versions, want 1", len(versions))
	}
	return versions[0]
}

func at(t *testing.T, object any, path ...string) any {
	t.Helper()
	for _, field := range path {
		fields, _ := object.(map[string]any)
		if _, ok := fields[field]; !ok {
			t.Fatalf("no field %q on the way to %q", field, path)
		}
		object = fields[field]
	}
	return object
}

func same(t *testing.T, path []string, upstream, ours any) {
	t.Helper()
	if diff := cmp.Diff(undescribed(upstream, false), undescribed(ours, false)); diff != "" {
		t.Errorf("%q (-upstream +demo):\n%s", path, diff)
	}
}

// undescribed leaves out descriptions, which each may word its own way. Where names are the author's choice, a field may be
// called description and counts.
func undescribed(value any, named bool) any {
	switch value := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for field, v := range value {
			if field != "description" || named {
				kept[field] = undescribed(v, field == "properties" && !named)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(value))
		for i, v := range value {
			kept[i] = undescribed(v, false)
		}
		return kept
	}
	return value
}
