package kubeconfig

import (
	"encoding/base64"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A section is one mapping of the file that is read field by field. Each reader names the fields it knows; whatever
// nobody named when the section ends is unknown, and refused.
type section struct {
	at     place
	node   *yaml.Node
	named  map[string]bool
	faults *faults
}

func newSection(at place, mapping *yaml.Node, f *faults) *section {
	return &section{at: at, node: mapping, named: map[string]bool{}, faults: f}
}

// value returns a field's value, or nil where the field is absent or says nothing: null, "", false or [].
func (s *section) value(name phrase) *yaml.Node {
	s.named[string(name)] = true
	for i := 0; i < len(s.node.Content); i += 2 {
		if s.node.Content[i].Value == string(name) {
			if v := s.node.Content[i+1]; !saysNothing(v) {
				return v
			}
		}
	}
	return nil
}

func saysNothing(v *yaml.Node) bool {
	switch v.Kind {
	case yaml.ScalarNode:
		tag := v.ShortTag()
		return v.Value == "" || tag == "!!null" || tag == "!!bool" && strings.EqualFold(v.Value, "false")
	case yaml.SequenceNode:
		return len(v.Content) == 0
	}
	return false
}

// ignore names fields that have no effect on the configuration.
func (s *section) ignore(names ...phrase) {
	for _, name := range names {
		s.named[string(name)] = true
	}
}

// refuse faults a field if it is given.
func (s *section) refuse(name, problem, fix phrase) {
	if v := s.value(name); v != nil {
		s.faults.add(s.at.field(name), v.Line, problem, fix)
	}
}

// fault faults a field, whether or not it is given.
func (s *section) fault(name, problem, fix phrase) {
	line := s.node.Line
	if v := s.value(name); v != nil {
		line = v.Line
	}
	s.faults.add(s.at.field(name), line, problem, fix)
}

// text returns a field's text, or "". As in client-go, a number is no text.
func (s *section) text(name phrase) string {
	v := s.value(name)
	if v == nil {
		return ""
	}
	tag := v.ShortTag()
	if v.Kind != yaml.ScalarNode || tag != "!!str" && tag != "!!timestamp" {
		s.fault(name, "is not text", "put its value in quotes")
		return ""
	}
	return v.Value
}

// data returns the bytes of a base64 field, or nil.
func (s *section) data(name phrase) []byte {
	text := s.text(name)
	if text == "" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		s.fault(name, "is not base64", "encode the PEM file with `base64 -w0`")
		return nil
	}
	return data
}

// sub returns the section under a field, or nil.
func (s *section) sub(name phrase) *section {
	v := s.value(name)
	if v == nil {
		s.fault(name, "is missing", "add it")
		return nil
	}
	if v.Kind != yaml.MappingNode {
		s.fault(name, "is not a mapping", "write its fields below it")
		return nil
	}
	return newSection(s.at.field(name), v, s.faults)
}

// end faults the fields that nobody named. It shows a field's name only where the name is of the vocabulary: an
// unknown one may be a token that lost its place.
func (s *section) end() {
	for i := 0; i < len(s.node.Content); i += 2 {
		key := s.node.Content[i]
		if s.named[key.Value] {
			continue
		}
		if s.faults.full() {
			s.faults.omitted++
			continue
		}
		switch name, exact := s.faults.lookUp(key.Value); {
		case exact:
			s.faults.add(s.at.field(name), key.Line, "does not belong in this section", "move or remove it")
		case name != "":
			s.faults.add(s.at, key.Line, "has an unknown field", "write it `"+name+"`, or remove it")
		default:
			s.faults.add(s.at, key.Line, "has an unknown field", "remove it")
		}
	}
}
