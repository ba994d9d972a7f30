package why

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"fanout/pkg/results"
)

// Every reason that docs/behaviour.md has an Event for has its sentence, and what to do where it is a warning.
func TestEveryReasonHasItsSentence(t *testing.T) {
	text, err := os.ReadFile("../../docs/behaviour.md")
	if err != nil {
		t.Fatal(err)
	}
	words := regexp.MustCompile("`([A-Z][A-Za-z]+)`")
	found := map[string]bool{}
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.TrimSpace(cells[1]) != "Secret" && strings.TrimSpace(cells[1]) != "Canary" {
			continue
		}
		for _, word := range words.FindAllStringSubmatch(cells[2], -1) {
			found[word[1]] = true
		}
	}
	for _, word := range []string{"HubUnknown", "Waiting"} {
		found[word] = true
	}
	if len(found) < 25 {
		t.Fatalf("the docs have hardly a reason: %v", found)
	}
	for word := range found {
		if Sentence(word) == "" {
			t.Errorf("%s has no sentence", word)
		}
	}
}

func TestEveryStateHasItsSentence(t *testing.T) {
	for _, state := range results.Worst {
		if Sentence(state.String()) == "" && state != results.Passed {
			t.Errorf("%s has no sentence", state)
		}
	}
}
