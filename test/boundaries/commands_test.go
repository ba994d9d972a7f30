package boundaries

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"fanout/test/commands"
)

// Each document whose author marked commands to be run is one of those that test/e2e runs, and each marker has commands.
func TestMarkedCommandsAreRun(t *testing.T) {
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Fields(string(output))
	for _, document := range documents {
		text := string(read(t, document))
		blocks, err := commands.In(text)
		switch listed := slices.Contains(commands.Documents, document); {
		case err != nil:
			t.Errorf("%s: %v", document, err)
		case listed && len(blocks) == 0:
			t.Errorf("%s has no commands to run, but is in commands.Documents", document)
		case !listed && len(blocks) > 0:
			t.Errorf("%s has commands to run, but nobody runs them: add it to commands.Documents", document)
		}
	}
	for _, document := range commands.Documents {
		if !slices.Contains(documents, document) {
			t.Errorf("there is no %s, which is in commands.Documents", document)
		}
	}
}
