package boundaries

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// Each test that docs/promises.md names is there, and each row names one.
func TestPromisesAreHeldByTests(t *testing.T) {
	there := tests(t)
	named := regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz)[A-Za-z0-9]+)`")
	rows := 0
	for _, line := range strings.Split(string(read(t, "docs/promises.md")), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "promise" {
			continue
		}
		rows++
		found := named.FindAllStringSubmatch(cells[2], -1)
		if len(found) == 0 || len(found) != strings.Count(cells[2], "`")/2 {
			t.Errorf("these are not all tests by package and name: %s", line)
		}
		for _, match := range found {
			if !there[match[1]] {
				t.Errorf("there is no %s, which is to hold this promise: %s", match[1], strings.TrimSpace(cells[1]))
			}
		}
	}
	if rows == 0 {
		t.Error("docs/promises.md has no table")
	}
}

// tests returns all tests and fuzz targets of the module, as package.TestName.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	command := exec.Command("git", "grep", "--untracked", "-hE", `^package |^func (Test|Fuzz)[A-Za-z0-9]+\(`, "--", "*_test.go")
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	there, pkg := map[string]bool{}, ""
	for _, line := range bytes.Split(output, []byte("\n")) {
		if name, ok := strings.CutPrefix(string(line), "package "); ok {
			pkg = strings.TrimSuffix(name, "_test")
		} else if function, ok := strings.CutPrefix(string(line), "func "); ok {
			name, _, _ := strings.Cut(function, "(")
			there[pkg+"."+name] = true
		}
	}
	return there
}
