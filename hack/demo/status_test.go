package main

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"fanout/pkg/results"
)

func TestInStatusNoticesWhatIsNotSaid(t *testing.T) {
	s := newStage("")
	step := step{says: map[string]results.State{euWest: results.Failed, usEast: results.Passed}}
	const right = `{status: {status: Failed, message: "2 agents: 1 passed, 1 failed; 2 in sync", checkStatus: {
  eu-west-prod: {message: Failed, errorMessage: "expected 500 to be in [200]", latency1h: 13ms},
  us-east-prod: {message: Passed, latency1h: 46ms}}}}`
	for name, test := range map[string]struct {
		old, new string
		right    bool
	}{
		"all of it":       {"", "", true},
		"no status":       {right, `{}`, false},
		"no check so far": {"13ms", `""`, false},
		"too fast":        {"46ms", "44ms", false},
		"no error":        {"expected 500 to be in [200]", "", false},
		"out of sync":     {"2 in sync", "1 in sync, 1 out of sync", false},
		"one agent more":  {"us-east-prod: {", "ap-south-dev: {message: Passed}, us-east-prod: {", false},
		"still passing":   {"message: Failed", "message: Passed", false},
		"another whole":   {"status: Failed", "status: Passed", false},
	} {
		canary := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(strings.Replace(right, test.old, test.new, 1)), &canary.Object); err != nil {
			t.Fatal(err)
		}
		seen := sight{canaries: map[string]objects{hubName: {checkKey: canary}}}
		if wrong := s.inStatus(step, seen); (len(wrong) == 0) != test.right {
			t.Errorf("%s: %v", name, wrong)
		}
	}
	if len(s.inStatus(step, sight{})) == 0 {
		t.Error("that there is no Canary is no fault")
	}
}
