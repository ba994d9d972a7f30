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
	"api-tls-cert-file":               pageForEveryone,
	"api-tls-private-key-file":        pageForEveryone,
	"api-proxy-user-header":           pageForEveryone,
	"api-proxy-groups-header":         pageForEveryone,
	"api-proxy-client-ca-file":        pageForEveryone,
}

// pageForEveryone also sets api-bind-address, which without it is one of flags.
const pageForEveryone = "page: {service: {enabled: true}, tls: {secretName: page-tls}, proxy: {userHeader: X-User, groupsHeader: X-Groups, clientCASecretName: proxy-ca}}"

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
		var changed, wanted []string
		for _, arg := range args {
			if name, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "="); !slices.Contains(normally, arg) && (values != pageForEveryone || name != "api-bind-address") {
				changed = append(changed, name)
			}
		}
		for other, by := range named {
			if by == values {
				wanted = append(wanted, other)
			}
		}
		slices.Sort(changed)
		slices.Sort(wanted)
		if !slices.Equal(changed, wanted) || !slices.Contains(wanted, flag) {
			t.Errorf("%s sets %q and not %q", values, changed, wanted)
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
