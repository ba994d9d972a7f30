package kubeconfig

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// patience is far more than any file of the allowed size takes, under the race detector on a busy machine too.
const patience = 20 * time.Second

// TestHostileFiles parses what is built to take time or memory, at half the allowed size.
func TestHostileFiles(t *testing.T) {
	repeat := func(text string) string { return strings.Repeat(text, MaxSize/2/len(text)) }
	number := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < MaxSize/2; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	good := string(kubeconfig(goodCluster, goodUser))
	noise := make([]byte, MaxSize/2)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(' ' + random.IntN(95))
	}
	for name, test := range map[string]struct{ file, problem string }{
		"nil":                  {"", "is empty"},
		"line breaks":          {repeat("\n"), "is empty"},
		"5 MB":                 {strings.Repeat("# "+marker+"\n", 5<<20/(len(marker)+3)), "is larger"},
		"not UTF-8":            {good + "# \xff" + marker, "is not UTF-8"},
		"UTF-16":               {"\xff\xfea\x00:\x00", "is not UTF-8"},
		"NUL":                  {good + "# \x00" + marker, "holds a NUL"},
		"escape character":     {good + "# \x1b[31m" + marker, "is not valid YAML"},
		"noise":                {string(noise), "is not valid YAML"},
		"deep flow mappings":   {repeat("{a: "), "is not valid YAML"},
		"deep block sequences": {repeat("- "), "is not valid YAML"},
		"deep but closed":      {good + nested(9000), "nests too deep"},
		"just too deep":        {good + nested(maxDepth), "nests too deep"},
		"comments in a flow":   {"[" + repeat("a, #\n"), "is not valid YAML"},
		"directives":           {number("%%TAG !%d! a\n") + "---\na: b", "begins with `%`"},
		"directives after CR":  {number("%%TAG !%d! a\r") + "---\na: b", "begins with `%`"},
		"directives after BOM": {"\ufeff%TAG ! a\n" + number("%%TAG !%d! a\n") + "---\na: b", "begins with `%`"},
		"directives after PS":  {number("%%TAG !%d! a\u2029") + "---\na: b", "begins with `%`"},
		"anchors":              {"a:\n" + number("- &a%d b\n"), "uses a YAML anchor"},
		"aliases":              {"a: &a {b: c}\nd: [" + repeat("*a,") + "]", "uses a YAML anchor"},
		"unknown fields":       {good + number("    a%d: b\n"), "has an unknown field"},
		"nameless users":       {good + repeat("- {}\n"), "is missing"},
		"duplicate users":      {good + repeat("- {name: x}\n"), "is the name of another"},
		"documents":            {repeat("---\n"), "goes on after"},
		"empty document after": {good + "---\n", "goes on after"},
		"garbage after":        {good + "---\n\t{" + marker, "is not valid YAML"},
		"garbage after an end": {good + "...\n\t{" + marker, "is not valid YAML"},
		"half a PEM, many times": {string(kubeconfig(goodCluster+"\ncertificate-authority-data: "+
			base64Of([]byte(strings.Repeat("-----BEGIN CERTIFICATE-----\n", 6000))), goodUser)), "holds no PEM"},
		"small certificates": {string(kubeconfig(goodCluster+"\ncertificate-authority-data: "+
			base64Of([]byte(strings.Repeat(string(pemOf("CERTIFICATE", []byte("0"))), 3000))), goodUser)), "holds no PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			refused := mustRefuse(t, []byte(test.file))
			if took := time.Since(start); took > patience {
				t.Errorf("took %v", took)
			}
			if n := len(refused.Faults); n > maxFaults || len(refused.Error()) > 4<<10 {
				t.Errorf("%d faults, %d bytes of text", n, len(refused.Error()))
			}
			if first := refused.Faults[0].Problem; !strings.Contains(first, test.problem) {
				t.Errorf("the file %s, want: %s", first, test.problem)
			}
		})
	}
}

// TestSize accepts a file as large as allowed and refuses one that is larger by a byte.
func TestSize(t *testing.T) {
	good := kubeconfig(goodCluster, goodUser)
	full := append(good, []byte("#"+strings.Repeat("x", MaxSize-len(good)-1))...)
	mustParse(t, full)
	mustRefuse(t, append(full, 'x'))
}

func TestDepth(t *testing.T) {
	depth := maxDepth - 1 // below the root
	mustParse(t, []byte(string(kubeconfig(goodCluster, goodUser))+nested(depth)))
}

func nested(depth int) string {
	return "extensions: " + strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func TestLineOfAFault(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		line int
	}{
		"a refused field":  {"apiVersion: v1\ncurrent-context: x\nclusters: []\nfoo: bar\n", 4},
		"a YAML error":     {"apiVersion: v1\nkind: Config\nfoo: [\n}\n", 3},
		"a duplicate":      {"apiVersion: v1\nkind: Config\nkind: Config\n", 3},
		"another document": {"apiVersion: v1\n---\nkind: Config\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			if refused := mustRefuse(t, []byte(test.file)); refused.Faults[0].Line != test.line {
				t.Errorf("line %d, want %d: %v", refused.Faults[0].Line, test.line, refused)
			}
		})
	}
}
