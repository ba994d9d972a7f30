package charts

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanout/test/fixture"
)

// named are the flags that have a value of their own, since the chart has to know them, and what sets them. One is left to
// extraArgs, since whoever moves the Lease elsewhere has to grant the right to it as well.
var named = map[string]string{
	"cluster-namespace":               "clusterNamespace: elsewhere",
	"registration":                    "registration: [capi]",
	"bind-address":                    "bindAddress: 127.0.0.1",
	"shard":                           "sharding: {enabled: true}",
	"shard-port":                      "sharding: {port: 9000}",
	"leader-elect":                    "leaderElection: {enabled: false}",
	"leader-elect-resource-name":      "leaderElection: {resourceName: mine}",
	"leader-elect-resource-namespace": "extraArgs: [--leader-elect-resource-namespace=mine]",
}

// Every flag of 'fanout controller' can be set by a value: by one of its own, or under flags by its name.
func TestEveryFlagIsReachable(t *testing.T) {
	_, help := fixture.Run(t, hub(t).Kubeconfig, "controller", "--help")
	flags := map[string]bool{}
	for _, flag := range regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z-]+)`).FindAllStringSubmatch(help, -1) {
		flags[flag[1]] = true
	}
	if len(flags) < 20 {
		t.Fatalf("only %d flags in:\n%s", len(flags), help)
	}
	reached := map[string]bool{}
	normally := render(t, "fanout", system, "").container(t).Args
	for flag, values := range named {
		reached[flag] = true
		args := render(t, "fanout", system, values).container(t).Args
		changed := slices.DeleteFunc(args, func(arg string) bool { return slices.Contains(normally, arg) })
		if len(changed) != 1 || !strings.HasPrefix(changed[0], "--"+flag+"=") {
			t.Errorf("%s sets %q and not --%s", values, changed, flag)
		}
	}
	for flag := range schemaOfFlags(t) {
		if reached[flag] {
			t.Errorf("--%s can be set in two ways", flag)
		}
		reached[flag] = true
	}
	for flag := range flags {
		if !reached[flag] {
			t.Errorf("--%s can't be set: add it to flags in values.schema.json", flag)
		}
	}
	for flag := range reached {
		if !flags[flag] {
			t.Errorf("values set --%s, which fanout controller has not", flag)
		}
	}
}

// What the chart makes of its values is what fanout takes: an argument that is faulty ends it with exit code 2.
func TestFanoutTakesTheArguments(t *testing.T) {
	for _, s := range switches {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			r := render(t, cmp.Or(s.release, "fanout"), system, s.values)
			commands := [][]string{r.container(t).Args}
			for _, job := range jobs(r) {
				commands = append(commands, job.Spec.Template.Spec.Containers[0].Args)
			}
			for _, args := range commands {
				// A hub that is not there: it goes no further than to look for it.
				code, said := fixture.Run(t, []byte("kind: Config\napiVersion: v1\n"), args...)
				if code != 1 || !strings.Contains(said, "find the hub") {
					t.Errorf("exit code %d for %q: %s", code, args, said)
				}
			}
		})
	}
}

// schemaOfFlags returns what values.schema.json has under flags.
func schemaOfFlags(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(chart + "/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Flags struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if len(schema.Properties.Flags.Properties) == 0 {
		t.Fatalf("no flags in the schema, which has %v", slices.Collect(maps.Keys(schema.Properties.Flags.Properties)))
	}
	return schema.Properties.Flags.Properties
}
