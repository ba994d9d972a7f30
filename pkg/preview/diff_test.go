package preview

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	for _, row := range []struct{ name, a, b, want string }{
		{"alike", "a b", "a b", ""},
		{"one line", "a b c", "a x c", " a\n-b\n+x\n c\n"},
		{"from nothing", "", "a", "+a\n"},
		{"far apart", "1 a b c d e f g h 2", "x a b c d e f g h y", "-1\n+x\n a\n b\n c\n…\n f\n g\n h\n-2\n+y\n"},
	} {
		if got := Diff(strings.Fields(row.a), strings.Fields(row.b)); got != row.want {
			t.Errorf("%s: got\n%s\nwant\n%s", row.name, got, row.want)
		}
	}
}

// What is compared goes from the one to the other.
func TestCompareGoesFromTheOneToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 12)
		a, b := lines.Draw(t, "a"), lines.Draw(t, "b")
		var from, to []string
		for _, edit := range compare(a, b) {
			if edit[0] != '+' {
				from = append(from, edit[1:])
			}
			if edit[0] != '-' {
				to = append(to, edit[1:])
			}
		}
		if strings.Join(from, "") != strings.Join(a, "") || strings.Join(to, "") != strings.Join(b, "") {
			t.Fatalf("from %q to %q", from, to)
		}
	})
}
