package kubeconfig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds how deep the file may nest. A kubeconfig needs 7, and its extensions a few more.
const maxDepth = 40

// readDocument reads the file into the section of its top-level fields. It looks at syntax alone, in every part of
// the file, and stops at the first fault.
//
// The YAML is kept as nodes and never decoded into values: that resolves no alias, merges no key, drops no duplicate,
// and converts no value behind our back.
func readDocument(data []byte, f *faults) (*section, bool) {
	if !readable(data, f) {
		return nil, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	switch err := decodeNode(decoder, &doc); {
	case errors.Is(err, io.EOF):
		f.add("", 0, "is empty", "store a whole kubeconfig")
		return nil, false
	case err != nil:
		f.add("", lineOf(err), "is not valid YAML or JSON", "check it with `kubectl config view`")
		return nil, false
	}
	if err := decodeNode(decoder, &next); !errors.Is(err, io.EOF) {
		f.add("", next.Line, "goes on after its first YAML document", "keep one document, without a `---` after it")
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		f.add("", root.Line, "is not a mapping", "store a whole kubeconfig")
		return nil, false
	}
	if !plain(root, 1, f) {
		return nil, false
	}
	return newSection("", root, f), true
}

// readable checks what can be told without a parser, and keeps from it what it takes long for.
func readable(data []byte, f *faults) bool {
	switch {
	case len(data) > MaxSize:
		f.add("", 0, "is larger than 256 KiB", "keep one context: `kubectl config view --minify --flatten --raw`")
	case !utf8.Valid(data):
		f.add("", 0, "is not UTF-8 text", "store it as UTF-8, and base64-encoded once, not twice")
	case bytes.IndexByte(data, 0) >= 0:
		f.add("", 0, "holds a NUL byte", "store it as text")
	case hasDirective(data):
		f.add("", 0, "has a line that begins with `%`", "remove the YAML directives")
	default:
		return true
	}
	return false
}

// hasDirective reports whether a line, after any of YAML's line breaks, begins with a percent sign. The parser's time
// grows with the square of the number of directives.
func hasDirective(data []byte) bool {
	for i, c := range data {
		if c != '%' {
			continue
		}
		before := data[:i]
		if i == 0 || slices.ContainsFunc([]string{"\n", "\r", "\u0085", "\u2028", "\u2029"}, func(lineBreak string) bool {
			return bytes.HasSuffix(before, []byte(lineBreak))
		}) {
			return true
		}
	}
	return false
}

// decodeNode reads the next document. The parser panics on its own internal errors; one Secret must not
// end the process.
func decodeNode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("yaml parser panicked")
		}
	}()
	return d.Decode(n)
}

// lineOf takes the line number out of a YAML error, and nothing else: the rest may quote the file.
func lineOf(err error) (line int) {
	if _, scanErr := fmt.Sscanf(err.Error(), "yaml: line %d:", &line); scanErr != nil {
		return 0
	}
	return line
}

// plain reports whether everything below n is what JSON could say as well: no anchors, no aliases, no tags, and
// keys that are distinct scalars.
func plain(n *yaml.Node, depth int, f *faults) bool {
	switch {
	case depth > maxDepth:
		f.add("", n.Line, "nests too deep", "remove what no kubeconfig has")
		return false
	case n.Anchor != "" || n.Kind == yaml.AliasNode:
		f.add("", n.Line, "uses a YAML anchor or alias", "write the value out: `kubectl config view --flatten --raw` does")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		f.add("", n.Line, "uses a YAML tag", "remove the tag, and put the value in quotes")
		return false
	}
	for _, child := range n.Content {
		if !plain(child, depth+1, f) {
			return false
		}
	}
	return n.Kind != yaml.MappingNode || distinctKeys(n, f)
}

func distinctKeys(mapping *yaml.Node, f *faults) bool {
	seen := make(map[string]bool, len(mapping.Content)/2)
	for i := 0; i < len(mapping.Content); i += 2 {
		switch key := mapping.Content[i]; {
		case key.Kind != yaml.ScalarNode:
			f.add("", key.Line, "has a key that is no text", "write the key as text")
			return false
		case seen[key.Value]:
			f.add("", key.Line, "has a field twice in one mapping", "keep one of them")
			return false
		default:
			seen[key.Value] = true
		}
	}
	return true
}
