package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fanout/pkg/api"
)

// What fanout put on the Secret of an agent is on its page, and who is registered by none has nothing there.
func TestReportsOfAnAgent(t *testing.T) {
	source := sample(0, 0)
	var events []api.Event
	for i := range 2 * maxEvents {
		events = append(events, api.Event{Time: time.Now().Add(-time.Duration(i+2) * time.Minute), Warning: i == 0, Reason: fmt.Sprint("Reason", i), Message: fmt.Sprint("message ", i)})
	}
	source.AddAgent(
		api.Agent{Name: "shop", Secret: "shop", State: "Unreachable", Events: events},
		api.Agent{Name: "quiet", Secret: "quiet", State: "Connected"},
		api.Agent{Name: "local", State: "Connected"},
	)
	_, address := serve(t, source)
	_, body := get(t, address+"/agents/shop")
	shows(t, body, "What fanout reported last", "2m ago", "Warning: Reason0</b> message 0", "<b>Reason4</b> message 4")
	if strings.Contains(body, "Reason5") {
		t.Error("it has more than the last few")
	}
	_, body = get(t, address+"/agents/quiet")
	shows(t, body, "Nothing since this controller began")
	if _, body = get(t, address+"/agents/local"); strings.Contains(body, "What fanout reported last") {
		t.Error("what has no Secret has Events on it")
	}
}
