package boundaries

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// A workflow runs nowhere but on its server, so what it calls is looked up here.
func TestWorkflowsCallWhatThereIs(t *testing.T) {
	var targets []string
	for _, found := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllSubmatch(read(t, "Makefile"), -1) {
		targets = append(targets, string(found[1]))
	}
	for workflow, wanted := range map[string][]string{"ci.yml": makes(read(t, ".ci/run")), "release.yml": {"release"}} {
		called := calledBy(t, workflow)
		for _, target := range called {
			if !slices.Contains(targets, target) {
				t.Errorf("%s calls make %s, and there is no such target", workflow, target)
			}
		}
		for _, target := range wanted {
			if !slices.Contains(called, target) {
				t.Errorf("%s does not call make %s", workflow, target)
			}
		}
	}
	if len(makes(read(t, ".ci/run"))) < 5 {
		t.Error("the expression that finds what .ci/run calls is not right any more")
	}
}

// calledBy returns the targets that a workflow's steps call.
func calledBy(t *testing.T, workflow string) []string {
	t.Helper()
	var parsed struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	if err := yaml.Unmarshal(read(t, filepath.Join(".github", "workflows", workflow)), &parsed); err != nil {
		t.Fatalf("%s: %v", workflow, err)
	}
	var called []string
	for _, job := range parsed.Jobs {
		for _, step := range job.Steps {
			called = append(called, makes([]byte(step.Run))...)
		}
	}
	return called
}

// makes returns the targets of make that a script calls, at the beginning of a line or at the end of a step of .ci/run.
func makes(script []byte) []string {
	var targets []string
	for _, found := range regexp.MustCompile(`(?m)^(?:step '[^']*' \d+ )?make ([a-z0-9-]+)`).FindAllSubmatch(script, -1) {
		targets = append(targets, string(found[1]))
	}
	return targets
}
