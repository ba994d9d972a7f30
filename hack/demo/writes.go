package main

import (
	"context"
	"fmt"
	"strings"

	"fanout/pkg/fanout/derive"
)

// checkWrites holds the API servers' audit logs to the story: fanout has written each copy once per change and nothing else, but
// for the namespace where a member lacked it.
func (s *stage) checkWrites(ctx context.Context, told []outcome) (total int, err error) {
	expected := map[string]int{}
	for _, outcome := range told {
		for member := range outcome.step.fates {
			expected[member]++
		}
	}
	for _, c := range s.all() {
		writes, err := s.planes.Cluster(c.name).AuditedWrites(ctx)
		if err != nil {
			return 0, err
		}
		canaries := 0
		for _, w := range writes {
			if !strings.HasPrefix(w.UserAgent, derive.FieldManager+"/") || w.Code >= 300 {
				continue
			}
			ownCopy := w.Resource == derive.Canaries.Resource && w.Subresource == "" && w.Namespace == checksNamespace && w.Name == checkName
			switch {
			case ownCopy && c != s.hub:
				canaries++
			case c == s.hub && (w.Resource == secrets.Resource || w.Subresource == "status"):
			case c != s.hub && w.Resource == namespaces.Resource && w.Verb == "create":
			default:
				return 0, fmt.Errorf("fanout made a request in %s that the story does not ask for: %s %s/%s %s", c.name, w.Verb, w.Resource, w.Subresource, w.Name)
			}
		}
		if canaries != expected[c.name] {
			return 0, fmt.Errorf("fanout wrote the copy in %s %d times, expected %d", c.name, canaries, expected[c.name])
		}
		total += canaries
	}
	return total, nil
}
