package main

import (
	"context"
	"strings"
	"testing"
	"unicode"

	"fanout/pkg/api"
)

// Every output, as it is.
func TestWhatIsShown(t *testing.T) {
	noHub(t)
	address := aFleet().serve(t)
	for _, row := range []struct {
		name string
		args []string
	}{
		{"agents", []string{"agents"}},
		{"agents-wide", []string{"agents", "-o", "wide"}},
		{"agents-by-label", []string{"agents", "-l", "tier=prod,region in (eu,us)", "--no-headers"}},
		{"agents-named", []string{"agents", "us-east-prod", "eu-west-prod"}},
		{"agents-name", []string{"agents", "-o", "name"}},
		{"agents-json", []string{"agents", "eu-west-prod", "-o", "json"}},
		{"agents-yaml", []string{"agents", "us-east-prod", "-o", "yaml"}},
		{"agents-columns", []string{"agents", "-o", "custom-columns=NAME:.name,ENDS:.credentialExpires,TIER:{.labels.tier}"}},
		{"agents-none", []string{"agents", "-l", "tier=none"}},
		{"get", []string{"get", "-n", "payments"}},
		{"get-all", []string{"get", "-A"}},
		{"get-all-wide", []string{"get", "-A", "-o", "wide"}},
		{"get-all-name", []string{"get", "-A", "-o", "name"}},
		{"get-failing", []string{"get", "-A", "--failing"}},
		{"get-by-label", []string{"get", "-A", "-l", "tier=dev"}},
		{"get-none", []string{"get", "-n", "nothing-here"}},
		{"get-one", []string{"get", "api-health", "-n", "payments"}},
		{"get-one-wide", []string{"get", "api-health", "-n", "payments", "-o", "wide"}},
		{"get-one-failing", []string{"get", "api-health", "-n", "payments", "--failing"}},
		{"get-one-by-label", []string{"get", "api-health", "-n", "payments", "-l", "region=us", "--no-headers"}},
		{"get-one-json", []string{"get", "api-health", "-n", "payments", "-l", "region=eu", "-o", "json"}},
		{"get-one-jsonpath", []string{"get", "api-health", "-n", "payments", "-o", `jsonpath={.canary.copies[?(@.state=="Failed")].agent}`}},
		{"match", []string{"match", "*-prod", "!us-*"}},
		{"match-all", []string{"match", "tier=prod", "local", "!us-*", "--all", "-o", "wide"}},
		{"match-none", []string{"match", "mars-*"}},
		{"match-json", []string{"match", "local", "-o", "json"}},
		{"why-failing", []string{"why", "api-health", "eu-west-prod", "-n", "payments"}},
		{"why-passing", []string{"why", "api-health", "us-east-prod", "-n", "payments"}},
		{"why-unreachable", []string{"why", "api-health", "ap-south-dev", "-n", "payments"}},
		{"why-conflict", []string{"why", "checkout", "eu-west-prod", "-n", "shop"}},
		{"why-not-selected", []string{"why", "checkout", "us-east-prod", "-n", "shop"}},
		{"why-invalid", []string{"why", "broken", "us-east-prod", "-n", "payments"}},
		{"why-no-agent", []string{"why", "api-health", "eu-west-prd", "-n", "payments"}},
		{"why-no-parent", []string{"why", "nothing", "eu-west-prod", "-n", "payments"}},
		{"why-json", []string{"why", "checkout", "eu-west-prod", "-n", "shop", "-o", "json"}},
		{"get-conflict", []string{"get", "checkout", "-n", "shop"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, out, errOut := runFanout(t, t.Context(), append(row.args, "--controller", address)...)
			if code != 0 {
				t.Errorf("code %d", code)
			}
			if errOut != "" {
				out += "--- stderr\n" + errOut
			}
			expectNoControl(t, out)
			golden(t, row.name, out)
		})
	}
}

// expectNoControl holds what is printed to what a terminal only writes down.
func expectNoControl(t *testing.T, printed string) {
	t.Helper()
	if i := strings.IndexFunc(printed, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q is printed:\n%s", printed[i:i+1], printed)
	}
}

// noHub keeps a test from the hub of whoever runs it.
func noHub(t *testing.T) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBECONFIG", "/does/not/exist")
}

func TestWhatIsNotThere(t *testing.T) {
	noHub(t)
	address := aFleet().serve(t)
	for _, row := range []struct {
		args []string
		says []string
	}{
		{[]string{"agents", "eu-west-prd"}, []string{`no agent "eu-west-prd"`, "did you mean eu-west-prod?"}},
		{[]string{"match", "*", "{eu"}, []string{`agentSelector[1] "{eu": position 0: unclosed {`}},
		{[]string{"get", "nothing", "-n", "payments"}, []string{"agentSelector"}},
	} {
		code, out, errOut := runFanout(t, t.Context(), append(row.args, "--controller", address)...)
		if code != exitFailure || out != "" {
			t.Errorf("%q: code %d, %q", row.args, code, out)
		}
		says(t, "it", errOut, row.says...)
	}
}

func TestCompletion(t *testing.T) {
	noHub(t)
	address := aFleet().serve(t)
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"get", "-n", "payments", ""}, "api-health\tFailed\nbroken\tInvalid\n:4\n"},
		{[]string{"agents", "local", "us"}, "ap-south-dev\tUnreachable\neu-west-prod\tConnected\nus-east-prod\tConnected\n:4\n"},
		{[]string{"why", "-n", "shop", ""}, "checkout\tMissing\n:4\n"},
		{[]string{"why", "-n", "shop", "checkout", ""}, "ap-south-dev\tUnreachable\neu-west-prod\tConnected\nlocal\tConnected\nus-east-prod\tConnected\n:4\n"},
		{[]string{"preview", "-n", "shop", ""}, "checkout\tMissing\n:4\n"},
	} {
		code, out, _ := runFanout(t, t.Context(), append([]string{"__complete", row.args[0], "--controller", address}, row.args[1:]...)...)
		if code != 0 || out != row.want {
			t.Errorf("%q: code %d, %q, want %q", row.args, code, out, row.want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, errOut := runFanout(t, t.Context(), "completion", shell); code != 0 || errOut != "" || !strings.Contains(out, "__complete") {
			t.Errorf("%s: code %d, %q", shell, code, errOut)
		}
	}
}

// Without a hub, and nothing that says where a controller is, that is what is said.
func TestShowingWithoutAHub(t *testing.T) {
	noHub(t)
	for _, args := range [][]string{{"get"}, {"agents"}, {"why", "a", "b"}, {"match", "*"}} {
		code, _, errOut := runFanout(t, t.Context(), args...)
		if code != exitFailure {
			t.Errorf("%q: code %d", args, code)
		}
		says(t, "it", errOut, "find the hub", "there is no kubeconfig")
	}
}

// What changes is printed again, until it is interrupted.
func TestWatching(t *testing.T) {
	noHub(t)
	fleet := aFleet()
	watched := &changing{canned: fleet}
	address := serveSource(t, watched)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	watched.asked = func(n int) {
		switch n {
		case 2:
			fleet.agents.Items[1].State = "Unreachable"
		case 3:
			fleet.agents.Items = fleet.agents.Items[:1]
		case 4:
			stop()
		}
	}
	code, out, errOut := runFanout(t, ctx, "agents", "--watch", "--controller", address, "-l", "tier")
	if code != 0 || errOut != "" {
		t.Errorf("code %d, %q", code, errOut)
	}
	var states []string
	for line := range strings.Lines(out) {
		states = append(states, strings.Join(strings.Fields(line)[:2], " "))
	}
	want := []string{"NAME STATE", "ap-south-dev Unreachable", "eu-west-prod Connected", "us-east-prod Connected", "eu-west-prod Unreachable"}
	if got := strings.Join(states[:min(len(states), 5)], "\n"); got != strings.Join(want, "\n") || len(states) != 7 || strings.Count(out, "Gone") != 2 {
		t.Errorf("it prints\n%s", out)
	}
}

// changing is a fleet that changes while it is asked.
type changing struct {
	*canned
	n     int
	asked func(n int)
}

func (c *changing) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	c.n++
	c.asked(c.n)
	return c.canned.Agents(ctx, namespaces...)
}
