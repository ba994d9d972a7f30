package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// shape is what server-side apply makes of all applies of one manager that have the same spec and the same names of labels and
// annotations, where no other manager has a part in the object: which fields the manager has is then the same each time.
type shape struct {
	manager      string
	fields, spec []byte
}

// shapes are those that Kubernetes' own library was seen to make.
type shapes struct{ known sync.Map }

// configuration is an apply that may go the short way. What has other fields goes the long one.
type configuration struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   configMetadata  `json:"metadata"`
	Spec       json.RawMessage `json:"spec"`
}

type configMetadata struct {
	Name            string            `json:"name"`
	Namespace       string            `json:"namespace"`
	UID             string            `json:"uid"`
	ResourceVersion string            `json:"resourceVersion"`
	Labels          map[string]string `json:"labels"`
	Annotations     map[string]string `json:"annotations"`
}

func (a application) configuration() (c configuration, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&c)
	return c, err == nil && c.Metadata.Name == a.name && c.Metadata.Namespace == a.namespace &&
		c.APIVersion == canaryKind.GroupVersion().String() && c.Kind == canaryKind.Kind && len(c.Metadata.Labels) > 0 && len(c.Metadata.Annotations) > 0
}

// key is the same for all applies of one shape.
func (c configuration) key(manager string) string {
	b := append(append(append([]byte(nil), manager...), 0), c.Spec...)
	for _, set := range []map[string]string{c.Metadata.Labels, c.Metadata.Annotations} {
		b = append(b, 0)
		for _, name := range slices.Sorted(maps.Keys(set)) {
			b = append(append(b, 0), name...)
		}
	}
	return string(b)
}

// learn remembers what an apply that only a's manager had a part in came to.
func (s *shapes) learn(a application, made *object) *shape {
	c, ok := a.configuration()
	if !ok || len(made.managed) == 0 || made.managed[0].manager != a.manager || made.managed[0].operation != "Apply" || len(made.finalizers) > 0 {
		return nil
	}
	for _, other := range made.managed[1:] {
		if other.subresource != "status" {
			return nil
		}
	}
	known, _ := s.known.LoadOrStore(c.key(a.manager), &shape{manager: a.manager, fields: made.managed[0].fields, spec: made.spec})
	return known.(*shape)
}

// applyAlone goes the short way, where it leads to the same: taken tells whether it does.
func (m *member) applyAlone(a application, live *object) (next *object, taken bool, err error) {
	if live != nil && (live.alone == nil || live.alone.manager != a.manager || live.deleted != "") {
		return nil, false, nil
	}
	c, ok := a.configuration()
	if !ok {
		return nil, false, nil
	}
	known, ok := m.shapes.known.Load(c.key(a.manager))
	if !ok {
		return nil, false, nil
	}
	if err := m.precondition(a.request, live, c.Metadata.UID, c.Metadata.ResourceVersion); err != nil {
		return nil, true, err
	}
	made := known.(*shape)
	next = &object{
		namespace: a.namespace, name: a.name, labels: m.share.labels(c.Metadata.Labels), annotations: jsonOf(c.Metadata.Annotations),
		spec: made.spec, alone: made, managed: []managedEntry{{manager: a.manager, operation: "Apply", time: now(), fields: made.fields}},
	}
	if live != nil {
		next.status = live.status
		next.managed = append(next.managed, live.managed[1:]...)
	}
	return m.succeed(live, next), true, nil
}
