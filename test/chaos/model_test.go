package chaos

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fanout/pkg/selector"
)

var agentNames = []string{"eu-prod", "us-prod", "ap-dev", "eu-prod-twin", "us-prod-twin", "ap-dev-twin", local}

// The model's own idea of a selector agrees with pkg/selector on what operations use.
func TestSelects(t *testing.T) {
	for _, patterns := range selectors {
		var parsed selector.Selector
		if len(patterns) > 0 {
			var err error
			if parsed, err = selector.Parse(patterns); err != nil {
				t.Fatal(err)
			}
		}
		for _, agent := range agentNames {
			for _, has := range append(labelSets, nil) {
				want := len(patterns) > 0 && parsed.Matches(agent, has)
				if got := selects(patterns, agent, has); got != want {
					t.Errorf("%q selects %s with the labels %v: %t", patterns, agent, has, got)
				}
			}
		}
	}
	if _, err := selector.Parse(invalidSelector); err == nil {
		t.Errorf("%q is valid", invalidSelector)
	}
}

func TestOwner(t *testing.T) {
	now := time.Now()
	m := newModel()
	if got := m.owner("eu-prod") + m.owner(hubCluster); got != local {
		t.Errorf("nothing is registered, and yet: %q", got)
	}
	m.secrets["b"] = &registration{agent: "b", created: now, target: "eu-prod"}
	m.secrets["c"] = &registration{agent: "c", created: now, target: "eu-prod"}
	m.secrets["d"] = &registration{agent: "d", created: now.Add(-time.Second), target: "us-prod"}
	if got := m.owner("eu-prod"); got != "b" {
		t.Errorf("of two equally old ones %q owns it", got)
	}
	m.retarget("d", "eu-prod")
	if got := m.owner("eu-prod"); got != "d" {
		t.Errorf("%q owns it, not the oldest", got)
	}
	if !m.unknown["us-prod"] {
		t.Error("d left us-prod as it was")
	}
	m.leave("d", false)
	m.leave("b", true)
	if got := m.owner("eu-prod"); got != "c" || m.unknown["eu-prod"] {
		t.Errorf("%q owns it, and it is left unknown: %t", got, m.unknown["eu-prod"])
	}
	m.leave("c", true)
	if m.owner("eu-prod") != "" || m.unknown["eu-prod"] {
		t.Error("it was not cleaned")
	}
}

func TestWanted(t *testing.T) {
	m := newModel()
	m.secrets["eu-prod"] = &registration{agent: "eu-prod", target: "eu-prod"}
	api, db := place{"a", "api"}, place{"a", "db"}
	m.parents[api] = &parent{selector: []string{"*", "local"}}
	m.parents[db] = &parent{selector: []string{"us-*", "tier=prod"}}
	m.labels["eu-prod"] = []labels{{"tier": "prod"}, {"tier": "dev"}}
	for cluster, want := range map[string]map[place]place{
		"eu-prod":  {api: api},
		hubCluster: {place{"a", "api-local"}: api},
		"us-prod":  {},
	} {
		if diff := cmp.Diff(want, m.wanted(cluster), cmp.AllowUnexported(place{})); diff != "" {
			t.Errorf("%s: %s", cluster, diff)
		}
	}
}

func TestExcuse(t *testing.T) {
	all := lineages{"uid": {generations: []generation{
		{selector: []string{"us-*"}}, {selector: []string{"*"}}, {invalid: true}, {selector: []string{"*", "!eu-*", "!tier=dev"}},
	}}}
	never := []labels{nil}
	for _, test := range []struct {
		uid     string
		from    int64
		agent   string
		had     []labels
		excused bool
	}{
		{"uid", 2, "us-prod", never, false},
		{"uid", 2, "eu-prod", never, true}, // generation 4 unwants it
		{"uid", 2, "ap-dev", never, false}, // generation 1 did not select it, but the copy is later
		{"uid", 2, "ap-dev", []labels{{"tier": "prod"}}, false},
		{"uid", 2, "ap-dev", []labels{{"tier": "prod"}, {"tier": "dev"}, {"tier": "prod"}}, true}, // it was once excluded
		{"uid", 1, "ap-dev", never, true},                                                         // a copy that nobody asked for
		{"other", 1, "ap-dev", never, true},                                                       // of another round, say
	} {
		if got := all.excuse(test.uid, test.from, test.agent, test.had, time.Now()); (got != "") != test.excused {
			t.Errorf("%+v: %q", test, got)
		}
	}
	now := time.Now()
	all["uid"].orphaned = now
	if excuse := all.excuse("uid", 2, "us-prod", never, now.Add(-time.Second)); excuse != "" {
		t.Errorf("a parent that went with its CRD is an excuse for a copy from before: %s", excuse)
	}
	if all.excuse("uid", 2, "us-prod", never, now) == "" {
		t.Error("a parent that went with its CRD is no excuse for a copy from since then")
	}
	all["uid"].at = place{"a", "api"}
	all.succeed(place{"a", "api"}, "next", generation{selector: []string{"*"}})
	if all.excuse("uid", 2, "us-prod", never, now.Add(-time.Second)) == "" || all.excuse("next", 1, "us-prod", never, now) != "" {
		t.Error("the next parent at the same place does not count")
	}
	all["next"].gone = true
	if all.excuse("next", 1, "us-prod", never, now) == "" {
		t.Error("a deleted parent is no excuse")
	}
}
