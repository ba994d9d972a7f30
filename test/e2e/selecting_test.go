package e2e

import (
	"strings"
	"testing"
)

// selecting holds the selectors of the guide to the agents that they mean.
func selecting(t *testing.T, w *world) {
	in := w.aNamespace(t, "selecting")
	eu, us, dev := w.member(t, "eu-west-prod"), w.member(t, "us-east-prod"), w.member(t, "ap-south-dev")
	var manifests strings.Builder
	want := map[*cluster][]string{}
	for _, row := range []struct {
		name      string
		selectors []string
		members   []*cluster
	}{
		{"all-agents", []string{"*"}, []*cluster{eu, us, dev}},
		{"by-name", []string{"us-east-prod"}, []*cluster{us}},
		{"prefix", []string{"eu-*"}, []*cluster{eu}},
		{"prefixes", []string{"eu-*", "us-*"}, []*cluster{eu, us}},
		{"suffix", []string{"*-prod"}, []*cluster{eu, us}},
		{"suffixes", []string{"*-prod", "*-staging"}, []*cluster{eu, us}},
		{"middle", []string{"us-*-prod"}, []*cluster{us}},
		{"holding", []string{"*-south-*"}, []*cluster{dev}},
		{"exclusion", []string{"*-prod", "!us-east-prod"}, []*cluster{eu}},
		{"exclusion-only", []string{"!*-dev", "!*-test"}, []*cluster{eu, us}},
		{"nobody", []string{"*-staging"}, nil},
		{"zz-last", []string{"*"}, []*cluster{eu, us, dev}}, // by then what was before it has been decided
	} {
		manifests.WriteString(parent(in, row.name, row.selectors...))
		for _, member := range row.members {
			want[member] = append(want[member], row.name)
		}
	}
	w.hub.apply(t, manifests.String())
	w.hold(t, in, want)
	t.Run("The parents are not copied in the hub", func(t *testing.T) {
		if copies, err := w.hub.canaries(in, "--selector=app.kubernetes.io/managed-by=fanout"); err != nil || len(copies) > 0 {
			t.Errorf("the hub holds %v, %v", copies, err)
		}
	})
	t.Run("A selector that does not parse is said, and changes nothing", func(t *testing.T) {
		w.hub.apply(t, parent(in, "all-agents", "eu-["))
		w.hub.mentions(t, "InvalidAgentSelector", "get", "events", "--namespace", in, "--field-selector=involvedObject.name=all-agents")
		w.hold(t, in, want)
	})
}
