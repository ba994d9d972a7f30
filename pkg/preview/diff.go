package preview

import "strings"

const (
	// context is how many lines are shown around those that change.
	context = 3
	// maxCells bounds the work of comparing.
	maxCells = 4 << 20
)

// Diff are the lines in which b differs from a, each after a "-" or "+", with a few around them after a blank; empty where they are alike.
// What is left out between is a line "…".
func Diff(a, b []string) string {
	edits := compare(a, b)
	shown := make([]bool, len(edits))
	changed := false
	for i, edit := range edits {
		if edit[0] == ' ' {
			continue
		}
		changed = true
		for j := max(i-context, 0); j < min(i+context+1, len(edits)); j++ {
			shown[j] = true
		}
	}
	if !changed {
		return ""
	}
	var out strings.Builder
	left := false
	for i, edit := range edits {
		if !shown[i] {
			left = true
			continue
		}
		if left && out.Len() > 0 {
			out.WriteString("…\n")
		}
		left = false
		out.WriteString(edit + "\n")
	}
	return out.String()
}

// compare lists the lines of both, each after what becomes of it, with as few changes as there can be.
func compare(a, b []string) (edits []string) {
	var end []string
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		edits, a, b = append(edits, " "+a[0]), a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		end, a, b = append(end, " "+a[len(a)-1]), a[:len(a)-1], b[:len(b)-1]
	}
	edits = append(edits, between(a, b)...)
	for i := len(end) - 1; i >= 0; i-- {
		edits = append(edits, end[i])
	}
	return edits
}

func between(a, b []string) (edits []string) {
	if len(a)*len(b) > maxCells {
		return append(prefixed("-", a), prefixed("+", b)...)
	}
	// longest[i][j] is how many lines a[i:] and b[j:] have in common, in order.
	longest := make([][]int, len(a)+1)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if longest[i][j] = max(longest[i+1][j], longest[i][j+1]); a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			edits = append(edits, " "+a[i])
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			edits = append(edits, "-"+a[i])
			i++
		default:
			edits = append(edits, "+"+b[j])
			j++
		}
	}
	return append(append(edits, prefixed("-", a[i:])...), prefixed("+", b[j:])...)
}

func prefixed(mark string, lines []string) []string {
	marked := make([]string, len(lines))
	for i, line := range lines {
		marked[i] = mark + line
	}
	return marked
}
