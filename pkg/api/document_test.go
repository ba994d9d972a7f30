package api

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/api.md has a table for each type, with each of its fields and no others, and names each path.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string][]string{}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(body, -1) {
			written[title] = append(written[title], row[1])
		}
	}
	types := map[string][]string{}
	collect(reflect.TypeFor[Agents](), types)
	collect(reflect.TypeFor[Canaries](), types)
	collect(reflect.TypeFor[OneCanary](), types)
	collect(reflect.TypeFor[OneFound](), types)
	collect(reflect.TypeFor[Problem](), types)
	if len(types) < 9 {
		t.Fatalf("types: %v", slices.Collect(maps.Keys(types)))
	}
	for name, fields := range types {
		if !slices.Equal(written[name], fields) {
			t.Errorf("docs/api.md has of %s the fields\n%q, and not\n%q", name, written[name], fields)
		}
	}
	for name := range written {
		if types[name] == nil {
			t.Errorf("docs/api.md has a table of %s, which is told nowhere", name)
		}
	}
	for _, path := range []string{"/api/v1/agents", "/api/v1/canaries", "?namespace=", "/api/v1/canaries/NAMESPACE/NAME", "/api/v1/agents/AGENT/canaries/NAMESPACE/NAME"} {
		if !strings.Contains(string(text), path) {
			t.Errorf("docs/api.md does not name %s", path)
		}
	}
}

// collect notes the JSON fields of a struct, and of those in it.
func collect(of reflect.Type, into map[string][]string) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice:
		collect(of.Elem(), into)
	case reflect.Struct:
		if of.PkgPath() != reflect.TypeFor[Agent]().PkgPath() || into[of.Name()] != nil {
			return
		}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			into[of.Name()] = append(into[of.Name()], name)
		}
		for i := range of.NumField() {
			collect(of.Field(i).Type, into)
		}
	}
}
