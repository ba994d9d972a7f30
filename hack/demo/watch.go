package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// watch returns what shows the Canary in the hub as kubectl get --watch does, a line each time that it fares otherwise than in the line
// before. Of a step that is not about that it shows nothing.
func (s *screen) watch(ctx context.Context, stage *stage, step step) (look func()) {
	if step.says == nil {
		return func() {}
	}
	s.line(cyan, "   $ kubectl --context %s -n %s get canary %s --watch\n", hubName, checksNamespace, checkName)
	widths := map[int]int{}
	show := func(style style, fields []string) {
		line := "   "
		for i, field := range fields {
			line += fmt.Sprintf("%-*s ", widths[i], field)
		}
		s.line(style, "%s", strings.TrimRight(line, " "))
	}
	last := ""
	return func() {
		held, _, _ := stage.hub.canaries.now()
		var now status
		now.read(held[checkKey])
		if now.Status+now.Message == last {
			return
		}
		header, cells, err := stage.kubectlGet(ctx)
		if err != nil {
			return // the step itself will notice
		}
		for i := range cells {
			widths[i] = max(widths[i], len(header[i])+4, len(cells[i])+2) // with room for what comes
		}
		if last == "" {
			show(faint, header)
		}
		last = now.Status + now.Message
		show(plain, cells)
	}
}

// status shows how the Canary fares on each agent, by fanout's own command.
func (s *screen) status(ctx context.Context, stage *stage) error {
	args := []string{"get", checkName, "-n", checksNamespace, "--controller", stage.controller}
	s.line(cyan, "\n   $ fanout %s\n", strings.Join(args, " "))
	command := exec.CommandContext(ctx, stage.binary, append(args, "--kubeconfig", stage.kubeconfig())...)
	shown, err := command.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	for line := range strings.Lines(string(shown)) {
		s.line(plain, "%s", strings.TrimRight("   "+line, " \n"))
	}
	return nil
}
