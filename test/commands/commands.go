// Package commands finds the commands in the documents that a test runs, so that none of them goes stale. An author marks a block
// of code by a comment before it:
//
//	<!-- e2e -->                  it is run, and has to succeed
//	<!-- e2e: until TEXT -->      it is run again until it prints TEXT
//
// test/e2e runs them on kind, document by document and in order. There the context HUB is the hub and the current one, and MEMBER
// is a member whose API server the hub finds at the address in the kubeconfig.
package commands

import (
	"fmt"
	"regexp"
	"strings"
)

// Documents are the files of which the commands are run, in this order, each from the repository's root.
var Documents = []string{
	"README.md", "docs/install.md", "docs/register.md", "docs/choosing.md", "docs/security.md", "docs/operations.md", "docs/troubleshooting.md",
}

// Block is what a marker asks to run.
type Block struct {
	Line  int    // of the marker
	Shell string // the commands, without what indents them
	Until string // what they have to print in the end, "" for anything
}

var (
	marker    = regexp.MustCompile(`^\s*<!-- e2e(?:: until (.+?))? -->\s*$`)
	mentioned = regexp.MustCompile("(?:^|[^`])<!--\\s*e2e")
	fence     = regexp.MustCompile("^\\s*```")
)

// In returns the blocks of a document. A marker that is not spelled as one, or has no code behind it, is an error.
func In(text string) ([]Block, error) {
	var blocks []Block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !mentioned.MatchString(lines[i]) {
			continue
		}
		match := marker.FindStringSubmatch(lines[i])
		if match == nil {
			return nil, fmt.Errorf("line %d is no marker: write <!-- e2e --> or <!-- e2e: until TEXT -->, alone in its line", i+1)
		}
		code := codeAfter(lines[i+1:])
		if code == "" {
			return nil, fmt.Errorf("line %d: no block of code follows the marker", i+1)
		}
		blocks = append(blocks, Block{Line: i + 1, Shell: code, Until: match[1]})
	}
	return blocks, nil
}

// codeAfter returns the fenced or indented block that comes next, "" if something else does.
func codeAfter(lines []string) string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return ""
	}
	var code []string
	if fence.MatchString(lines[0]) {
		for _, line := range lines[1:] {
			if fence.MatchString(line) {
				return dedent(code)
			}
			code = append(code, line)
		}
		return "" // it never ends
	}
	if !strings.HasPrefix(lines[0], "    ") {
		return ""
	}
	for _, line := range lines {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, indentOf(lines[0])) {
			break
		}
		code = append(code, line)
	}
	return dedent(code)
}

func indentOf(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " "))] }

func dedent(code []string) string {
	if len(code) == 0 {
		return ""
	}
	indent := indentOf(code[0])
	for i, line := range code {
		code[i] = strings.TrimPrefix(line, indent)
	}
	return strings.TrimRight(strings.Join(code, "\n"), "\n ") + "\n"
}
