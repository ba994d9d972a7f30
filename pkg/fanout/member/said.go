package member

import (
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	"fanout/pkg/results"
)

// readStatus reads what a Canary of which nothing else need be decoded says of how it fares. What can't be decoded says nothing.
func (m *Member) readStatus(g *glance) *results.Result {
	var status any
	if g.status != "" {
		_ = json.Unmarshal([]byte(g.status), &status)
	}
	return m.hear(g.key, status)
}

// hear reads what the status of the Canary at key, as it came out of JSON, says of how it fares. It may say the member's credential.
func (m *Member) hear(key types.NamespacedName, status any) *results.Result {
	fields, _ := status.(map[string]any)
	for name, value := range fields {
		if text, ok := value.(string); ok {
			fields[name] = m.redacted(text)
		}
	}
	said := m.options.Results.Read(status, m.view.said(key), m.options.Clock.Now())
	return &said
}

// listen remembers what s says of how the object fares, if that object stands there. It returns whether that is news, and whether the
// object fares otherwise than before.
func (v *view) listen(s *sighting) (news, transition bool) {
	p := v.places[s.key]
	if p == nil || s.said == nil || !p.held.isOf(s.observed) {
		return false, false
	}
	var before results.Result
	if p.said != nil {
		before = *p.said
	}
	if p.said == nil || before != *s.said {
		p.said = s.said
		news = true
	}
	return news, s.said.Differs(&before)
}

// said is what the object at key says of how it fares.
func (v *view) said(key types.NamespacedName) results.Result {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if p := v.places[key]; p != nil && p.said != nil {
		return *p.said
	}
	return results.Result{}
}

func (v *view) tell(key types.NamespacedName, transition bool) {
	if v.heard != nil {
		v.heard(key, transition)
	}
}
