package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// report is what was measured. Nothing depends on it.
type report struct {
	began  time.Time
	lines  []string
	phases []string
}

func newReport() *report { return &report{began: time.Now()} }

func (r *report) add(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// timed measures until what it returns is called.
func (r *report) timed(what string) func() {
	began := time.Now()
	return func() { r.phases = append(r.phases, fmt.Sprintf("%s %.0f s", what, time.Since(began).Seconds())) }
}

func (r *report) print(t *testing.T) {
	r.add("chapters: %s", strings.Join(r.phases, ", "))
	r.add("all of it: %s", time.Since(r.began).Round(time.Second))
	text := strings.Join(r.lines, "\n") + "\n"
	t.Log("measured:\n" + text)
	if err := os.MkdirAll(evidenceFolder, 0o755); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(evidenceFolder, "measured.txt"), []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}
