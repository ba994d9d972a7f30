package selector

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNamespaces(t *testing.T) {
	for _, tc := range []struct {
		text    string
		in, out []string
	}{
		{"*", []string{"default", "local", "a.b"}, []string{"", "under_score", "ä"}},
		{"monitoring, team-*, !team-x", []string{"monitoring", "team-a", "TEAM-b"}, []string{"team-x", "default", "monitoring2"}},
		{"!kube-*", []string{"default", "local"}, []string{"kube-system", ""}},
		{"local", []string{"local"}, []string{"locals", "default"}},
		{"lo*,!local", []string{"loki"}, []string{"local"}},
		{"{team-a,team-{b,c}},monitoring", []string{"team-a", "team-b", "team-c", "monitoring"}, []string{"team-d", "team-{b"}},
		{"\tteam-[a-c]\n,\n ops ", []string{"team-b", "ops"}, []string{"team-d"}},
	} {
		n, err := ParseNamespaces(tc.text)
		if err != nil {
			t.Errorf("%q: %v", tc.text, err)
		}
		for _, name := range tc.in {
			if !n.Matches(name) {
				t.Errorf("%q does not name %q", tc.text, name)
			}
		}
		for _, name := range tc.out {
			if n.Matches(name) {
				t.Errorf("%q names %q", tc.text, name)
			}
		}
	}
	if (Namespaces{}).Matches("default") {
		t.Error("the zero Namespaces names one")
	}
}

func TestFaultyNamespaces(t *testing.T) {
	for text, want := range map[string]string{
		"":                        `namespaces[0] "": position 0: blank pattern`,
		"a,,b":                    `namespaces[1] "": position 0: blank pattern`,
		"a,":                      `namespaces[1] "": position 0: blank pattern`,
		"a,!":                     `namespaces[1] "!": position 0: nothing after !`,
		"a,{b,c":                  `namespaces[1] "{b,c": position 0: unclosed {`,
		"b},c":                    `namespaces[0] "b}": position 1: unopened }`,
		"team_x":                  `namespaces[0] "team_x": position 4: '_' is in no name`,
		strings.Repeat("a,", 600): "more than 512 patterns",
	} {
		n, err := ParseNamespaces(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, not %s", text, err, want)
		}
		if n.Matches("a") {
			t.Errorf("%.20q is faulty and names a namespace", text)
		}
	}
}

// But for Local, a list of namespaces means what the same agentSelector means.
func TestNamespacesSelectAsAgentSelectorsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := rapid.SliceOfN(rapid.StringMatching(`!?[ab*?-]{1,5}|\{[ab*]{1,3},[ab-]{1,3}\}`), 1, 5).Draw(t, "patterns")
		name := rapid.StringMatching(`[ab-]{1,6}`).Draw(t, "name")
		s, err := Parse(patterns)
		if err != nil {
			t.Fatal(err)
		}
		n, err := ParseNamespaces(strings.Join(patterns, ", "))
		if err != nil {
			t.Fatal(err)
		}
		if n.Matches(name) != s.Matches(name, nil) {
			t.Errorf("%q: %t for a namespace, %t for an agent", patterns, n.Matches(name), s.Matches(name, nil))
		}
	})
}

func FuzzParseNamespaces(f *testing.F) {
	for _, list := range seedLists {
		f.Add(strings.ReplaceAll(list, "\n", ","), "eu-west-prod")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		n, err := ParseNamespaces(text)
		if err != nil {
			checkMessage(t, err)
			if n.Matches(name) {
				t.Fatalf("a faulty list names %q", name)
			}
		}
		if parts := splitOutsideBraces(text); strings.Join(parts, ",") != text {
			t.Fatalf("%q splits into %q", text, parts)
		}
		if n.Matches(name) && strings.ContainsAny(name, "_/ ") {
			t.Fatalf("names %q", name)
		}
	})
}
