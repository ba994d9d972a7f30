package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"fanout/pkg/fanout/derive"
)

// screen is what the reader sees.
type screen struct {
	out      io.Writer
	terminal bool
	colored  bool
}

// style is an ANSI colour or weight.
type style string

const (
	plain style = ""
	bold  style = "1"
	faint style = "2"
	red   style = "31"
	green style = "32"
	amber style = "33"
	cyan  style = "36"
)

func newScreen(file *os.File) *screen {
	terminal := term.IsTerminal(int(file.Fd()))
	return &screen{out: file, terminal: terminal, colored: terminal && os.Getenv("NO_COLOR") == ""}
}

func (s *screen) paint(style style, text string) string {
	if !s.colored || style == plain || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

func (s *screen) line(style style, format string, args ...any) {
	fmt.Fprintln(s.out, s.paint(style, fmt.Sprintf(format, args...)))
}

// progress tells what takes time.
func (s *screen) progress(format string, args ...any) {
	s.line(faint, "· "+format, args...)
}

// announce shows a step's title, and what one would type.
func (s *screen) announce(number int, step step) {
	s.line(bold, "\n%d. %s", number, step.title)
	fmt.Fprintln(s.out)
	for _, edit := range step.edits {
		for i, line := range strings.Split(edit.command, "\n") {
			prompt := "   "
			if i == 0 {
				prompt = "   $ "
			}
			s.line(cyan, "%s%s", prompt, line)
		}
	}
	if len(step.edits) > 0 {
		fmt.Fprintln(s.out)
	}
}

// clusters shows what is where after a step.
func (s *screen) clusters(stage *stage, step step) {
	rows := [][]cell{{{"CLUSTER", faint}, {"CANARY", faint}, {"SCHEDULE", faint}, {"AGENT", faint}, {"CHANGE", faint}}}
	rows = append(rows, row(hubName, stage.parent, "selects "+selector(stage.parent), cell{"", plain}))
	for _, member := range stage.members {
		copied := stage.lastCanaries[member.name][checkKey]
		outcome := cell{string(untouched), plain}
		fate, changed := step.fates[member.name]
		switch {
		case changed && fate == removed:
			outcome = cell{string(fate), amber}
		case changed:
			outcome = cell{string(fate), green}
		case !stage.registered[member.name]:
			outcome = cell{"not registered", faint}
		case copied == nil:
			outcome = cell{"-", plain}
		}
		rows = append(rows, row(member.name, copied, agent(copied), outcome))
	}
	s.table(rows)
}

func row(cluster string, canary *unstructured.Unstructured, agent string, outcome cell) []cell {
	if canary == nil {
		return []cell{{cluster, plain}, {"-", plain}, {"-", plain}, {"-", plain}, outcome}
	}
	return []cell{{cluster, plain}, {keyOf(canary), plain}, {schedule(canary), plain}, {agent, plain}, outcome}
}

func schedule(canary *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(canary.Object, "spec", "schedule")
	return text
}

func agent(canary *unstructured.Unstructured) string {
	if canary == nil {
		return ""
	}
	return canary.GetAnnotations()[derive.AnnotationAgent]
}

func selector(canary *unstructured.Unstructured) string {
	if canary == nil {
		return ""
	}
	patterns, _, _ := unstructured.NestedStringSlice(canary.Object, "spec", "agentSelector")
	return strings.Join(patterns, " ")
}

func (s *screen) took(step step, took times) {
	if step.says != nil {
		s.line(green, "\n   %s until the hub said so, %s after the members did", milliseconds(took.whole), milliseconds(took.since))
		return
	}
	s.line(green, "\n   %s until every cluster held what it should", milliseconds(took.whole))
}

func milliseconds(took time.Duration) string {
	return fmt.Sprintf("%d ms", took.Round(time.Millisecond).Milliseconds())
}

// bystander shows the Canary that fanout has nothing to do with.
func (s *screen) bystander(title string, canary *unstructured.Unstructured) {
	s.line(bold, "\n%s:", title)
	s.table([][]cell{
		{{"CLUSTER", faint}, {"CANARY", faint}, {"MANAGED BY", faint}, {"UID", faint}, {"GENERATION", faint}},
		{{bystanderCluster, plain}, {keyOf(canary), plain}, {canary.GetLabels()[derive.LabelManagedBy], plain},
			{string(canary.GetUID()), plain}, {fmt.Sprint(canary.GetGeneration()), plain}},
	})
}

// summary shows all steps together.
func (s *screen) summary(told []outcome, writes int) {
	s.line(bold, "\nFrom the first request until every cluster held what it should:")
	rows := [][]cell{}
	for i, outcome := range told {
		took := fmt.Sprintf("%7s", milliseconds(outcome.took.whole))
		rows = append(rows, []cell{{fmt.Sprint(i + 1), plain}, {outcome.step.title, plain}, {took, green}})
	}
	s.table(rows)
	s.line(plain, "\nIn all of it fanout wrote %d times to Canaries in the members: once for each change, and nothing where nothing changed.", writes)
}

// invitation says what to do with clusters that stay up.
func (s *screen) invitation(stage *stage) {
	s.line(bold, "\nEverything stays up until Ctrl-C. In a browser:")
	s.line(cyan, "\n   %s", stage.controller)
	s.line(bold, "\nIn another terminal:")
	fmt.Fprintln(s.out)
	for _, command := range []string{
		"cd " + stage.dir + " && export KUBECONFIG=$PWD/kubeconfig",
		"kubectl --context hub apply --server-side -f check.yaml",
		"kubectl --context hub get canaries -A --watch",
		stage.service(usEast).turn("break").command + "    # and /mend",
		fmt.Sprintf("%s get -A --controller %s --watch", stage.binary, stage.controller),
		"kubectl --context us-east-prod get canaries -A",
		"kubectl --context us-east-prod -n monitoring patch canary api-health --type merge -p '{\"spec\":{\"schedule\":\"@every 24h\"}}'",
		"kubectl --context hub -n fanout-system get secrets",
		"kubectl --context hub get events -A",
		"tail -f fanout.log",
	} {
		s.line(cyan, "   %s", command)
	}
	s.line(plain, "\nThe kubeconfig has a context for each cluster. Each also has a file of its own:")
	for _, c := range stage.all() {
		s.line(plain, "   %s", filepath.Join(stage.dir, c.name+".kubeconfig"))
	}
	fmt.Fprintln(s.out)
}

func (s *screen) failure(err error) {
	s.line(red, "\nThe demo failed: %v", err)
}

// cell is one field of a table.
type cell struct {
	text  string
	style style
}

// table aligns its columns. The padding is computed before the colours, which take no room.
func (s *screen) table(rows [][]cell) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell.text))
		}
	}
	for _, row := range rows {
		line := "   "
		for i, cell := range row {
			line += s.paint(cell.style, cell.text) + strings.Repeat(" ", widths[i]-len(cell.text)+2)
		}
		fmt.Fprintln(s.out, strings.TrimRight(line, " "))
	}
}

// indented returns a writer for what others say that takes time.
func (s *screen) indented() io.Writer { return indent{s} }

type indent struct{ screen *screen }

func (i indent) Write(text []byte) (int, error) {
	for line := range slices.Values(strings.Split(strings.TrimRight(string(text), "\n"), "\n")) {
		i.screen.progress("  %s", line)
	}
	return len(text), nil
}
