package kubeconfig

import "go.yaml.in/yaml/v3"

// An entry is one element of the lists contexts, clusters and users: a name, and a section under a field that
// is named after the list.
type entry struct {
	name string
	*section
}

// readCurrent follows current-context to the sections of its cluster and its user. Either is nil if there is no way to
// it, and then the faults say why. Of all other entries only the name is read.
func readCurrent(top *section) (cluster, user *section) {
	if v := top.text("apiVersion"); v != "" && v != "v1" {
		top.fault("apiVersion", "is not v1", "store a kubeconfig of `apiVersion: v1`")
	}
	if v := top.text("kind"); v != "" && v != "Config" {
		top.fault("kind", "is not Config", "store a kubeconfig of `kind: Config`")
	}
	contexts, clusters, users := readEntries(top, "contexts"), readEntries(top, "clusters"), readEntries(top, "users")
	name := top.text("current-context")
	top.ignore("preferences", "extensions")
	top.end()

	context := follow(top, "current-context", name, contexts, "context")
	if context == nil {
		return nil, nil
	}
	clusterName, userName := context.text("cluster"), context.text("user")
	context.ignore("namespace", "extensions")
	context.end()
	return follow(context, "cluster", clusterName, clusters, "cluster"), follow(context, "user", userName, users, "user")
}

// follow goes from a field that holds a name to the entry of that name, and returns what the entry holds under body.
func follow(from *section, field phrase, name string, entries []entry, body phrase) *section {
	if name == "" {
		if from.value(field) == nil { // if not, it is no text, which is reported
			from.fault(field, "is missing", "name an entry of this file")
		}
		return nil
	}
	for _, e := range entries {
		if e.name == name {
			found := e.sub(body)
			e.end()
			return found
		}
	}
	from.fault(field, "names no entry of this file", "add the entry, or store the output of `kubectl config view --minify --flatten --raw`")
	return nil
}

// readEntries reads the names of a list of entries. Every entry has one, and no two the same.
func readEntries(top *section, list phrase) []entry {
	v := top.value(list)
	if v == nil {
		return nil
	}
	if v.Kind != yaml.SequenceNode {
		top.fault(list, "is not a list", "write its entries below it, each with a `-`")
		return nil
	}
	entries := make([]entry, 0, len(v.Content))
	seen := make(map[string]bool, len(v.Content))
	for i, node := range v.Content {
		at := top.at.field(list).entry(i, "")
		if node.Kind != yaml.MappingNode {
			top.faults.add(at, node.Line, "is not a mapping", "give it a `name`")
			continue
		}
		s := newSection(at, node, top.faults)
		name := s.text("name")
		if name == "" {
			if s.value("name") == nil {
				s.fault("name", "is missing", "add it")
			}
			continue
		}
		s.at = top.at.field(list).entry(i, name)
		if seen[name] {
			s.fault("name", "is the name of another entry too", "remove one of the two")
		}
		seen[name] = true
		entries = append(entries, entry{name: name, section: s})
	}
	return entries
}
