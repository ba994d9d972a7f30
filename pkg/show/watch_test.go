package show

import (
	"strings"
	"testing"
	"time"

	"fanout/pkg/api"
)

func TestWhatHasChanged(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(after time.Duration, agents ...api.Agent) *View {
		return Agents(api.Agents{Teller: api.Teller{Time: noon.Add(after)}, Items: agents})
	}
	a, b := api.Agent{Name: "a", State: "Connected", Since: noon}, api.Agent{Name: "b", State: "Connected", Since: noon}
	away := a
	away.State = "Unreachable"

	var changes Changes
	for _, step := range []struct {
		what string
		view *View
		want string
	}{
		{"at first all", at(0, a, b), "a Connected, b Connected"},
		{"time alone is no change", at(time.Hour, a, b), ""},
		{"one changes", at(time.Hour, away, b), "a Unreachable"},
		{"one goes", at(time.Hour, b), "a Gone"},
		{"it is gone once", at(time.Hour, b), ""},
		{"and comes back", at(time.Hour, a, b), "a Connected"},
	} {
		var got []string
		for _, row := range changes.Of(step.view) {
			got = append(got, row.Cells[0].(string)+" "+row.Cells[1].(string))
		}
		if text := strings.Join(got, ", "); text != step.want {
			t.Errorf("%s: %q, want %q", step.what, text, step.want)
		}
	}
}

// Canaries of one name in several namespaces are several.
func TestWhatHasChangedInSeveralNamespaces(t *testing.T) {
	view := Canaries(api.Canaries{Items: []api.Canary{{Namespace: "a", Name: "x", State: "Passed"}, {Namespace: "b", Name: "x", State: "Passed"}}}, true)
	var changes Changes
	if first, second := len(changes.Of(view)), len(changes.Of(view)); first != 2 || second != 0 {
		t.Errorf("%d rows at first, then %d", first, second)
	}
}
