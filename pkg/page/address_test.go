package page

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fanout/pkg/api"
)

// An address sent to a colleague shows the same view.
func TestAnAddressHoldsTheWholeView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{0,20}`)
		values := url.Values{}
		for _, name := range []string{"canary", "agent", "by"} {
			values.Set(name, text.Draw(t, name))
		}
		values.Set("state", rapid.SampledFrom([]string{"", "failed", "trouble", "out-of-sync", "nonsense"}).Draw(t, "state"))
		values.Set("columns", rapid.SampledFrom([]string{"", "groups", "x"}).Draw(t, "columns"))
		values.Set("sort", rapid.SampledFrom([]string{"", "name", "x"}).Draw(t, "sort"))
		values.Set("row", rapid.StringMatching(`-?[0-9]{0,8}`).Draw(t, "row"))
		values.Set("column", rapid.StringMatching(`[0-9]{0,3}`).Draw(t, "column"))
		q := parseQuery("/canaries/a/b", values)
		address, err := url.Parse(q.String())
		if err != nil {
			t.Fatal(err)
		}
		if again := parseQuery(address.Path, address.Query()); again != q {
			t.Fatalf("%+v\nis addressed by %s, which is\n%+v", q, address, again)
		}
	})
}

func TestChooser(t *testing.T) {
	agent := api.Agent{Name: "eu-west-prod-1", Labels: map[string]string{"tier": "prod", "region": "eu-west"}}
	for text, want := range map[string]bool{
		"": true, "west": true, "EU-West": true, "us": false, "tier=prod": true, "tier=dev": false, "region in (eu-west,us)": true, "region notin (eu-west)": false, "tier=prod,region=us": false,
	} {
		chooses, fault := query{Agent: text}.chooser()
		if got := chooses(&agent); got != want || fault != "" {
			t.Errorf("%q: %v, %s", text, got, fault)
		}
	}
	chooses, fault := query{Agent: "tier=(prod"}.chooser()
	if !chooses(&agent) || !strings.Contains(fault, "no label selector") {
		t.Errorf("what is no selector chooses %v: %s", chooses(&agent), fault)
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{"eu-west.1": "eu-west.1", "": "NAME", "-n": "NAME", "a b": "NAME", "$(reboot)": "NAME", "a;b": "NAME", "A": "NAME"} {
		if got := quote(word); got != want {
			t.Errorf("%q: %s", word, got)
		}
	}
}
