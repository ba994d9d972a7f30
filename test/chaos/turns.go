package chaos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"fanout/pkg/shard"
	"fanout/pkg/shard/leases"
	"fanout/test/faultproxy"
)

// turns are who wrote where and when, as it came to the proxies, and what the replicas' Leases said meanwhile. That is judged at
// the end of a round: a replica writes only where its Lease gives it the member, or the parent whose status that is, and can't have run
// out, and while one has it without a break, no other writes there.
type turns struct {
	mu     sync.Mutex
	writes map[written][]turn
	claims map[string][]claimed // by replica, as the hub took them
}

// written is what is one replica's to write.
type written struct {
	cluster string
	parent  string // the UID of one whose status it is, empty where it is the copies in the cluster
}

type turn struct {
	at      time.Time
	replica string
	what    string
}

type claimed struct {
	sent time.Time
	view shard.View
}

func newTurns() *turns { return &turns{writes: map[written][]turn{}, claims: map[string][]claimed{}} }

// watch returns an observer of what replicas write in cluster.
func (s *turns) watch(cluster string) func(*http.Request, string) {
	return func(r *http.Request, _ string) {
		_, replica, shares := strings.Cut(r.UserAgent(), "replica/")
		request := faultproxy.RequestOf(r)
		if !shares || r.Method == http.MethodGet || request.Resource != "canaries" {
			return
		}
		what := written{cluster: cluster}
		if request.Subresource == "status" {
			what.parent = uidIn(r)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writes[what] = append(s.writes[what], turn{time.Now(), replica, request.Verb + " " + request.Namespace + "/" + request.Name})
	}
}

// uidIn returns the UID of the object that a request sends.
func uidIn(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var object metav1.PartialObjectMetadata
	if err != nil || json.Unmarshal(body, &object) != nil {
		return ""
	}
	return string(object.UID)
}

// follow notes what Leases say until ctx ends.
func (s *turns) follow(ctx context.Context, hub *cluster) {
	all := hub.Kube.CoordinationV1().Leases(system)
	for ctx.Err() == nil {
		events, err := all.Watch(ctx, metav1.ListOptions{})
		if err != nil {
			continue
		}
		for event := range events.ResultChan() {
			l, ok := event.Object.(*coordinationv1.Lease)
			if !ok || l.Spec.RenewTime == nil {
				continue
			}
			s.mu.Lock()
			s.claims[l.Name] = append(s.claims[l.Name], claimed{l.Spec.RenewTime.Time, shard.ParseView(l.Annotations[leases.AnnotationView])})
			s.mu.Unlock()
		}
	}
}

// judge returns what was wrong in a cluster with that ID.
func (s *turns) judge(cluster, id string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, writes := range s.writes {
		if what.cluster != cluster {
			continue
		}
		if failed := s.judgeWrites(cluster, cmp.Or(what.parent, id), writes); failed != nil {
			return failed
		}
	}
	return nil
}

// judgeWrites does so for those that are the replica's to make whom the Leases give id.
func (s *turns) judgeWrites(cluster, id string, writes []turn) *failure {
	slices.SortStableFunc(writes, func(a, b turn) int { return a.at.Compare(b.at) })
	last := map[string]turn{} // by replica
	for _, w := range writes {
		if !s.holds(w.replica, id, w.at) {
			return &failure{invariant: "turns", cluster: cluster, text: fmt.Sprintf("%s sent %s at %s, when its Lease did not give it that, or may have run out",
				w.replica, w.what, w.at.Format(time.StampMicro))}
		}
		if before, ok := last[w.replica]; ok && s.holdsThroughout(w.replica, id, before.at, w.at) {
			for other, between := range last {
				if other != w.replica && between.at.After(before.at) {
					return &failure{invariant: "turns", cluster: cluster, text: fmt.Sprintf("%s sent %s at %s, while %s had that from %s to %s",
						other, between.what, between.at.Format(time.StampMicro), w.replica, before.at.Format(time.StampMicro), w.at.Format(time.StampMicro))}
				}
			}
		}
		last[w.replica] = w
	}
	return nil
}

// holds tells whether an announcement of the replica's that gives it the cluster was sent before at, and not longer before than a
// Lease lasts.
func (s *turns) holds(replica, id string, at time.Time) bool {
	return slices.ContainsFunc(s.claims[replica], func(c claimed) bool {
		return c.view.Owner(id) == replica && !c.sent.After(at) && at.Sub(c.sent) <= leaseLasts
	})
}

// holdsThroughout tells whether all that the replica announced between two times gives it the cluster, each before the one before
// has run out.
func (s *turns) holdsThroughout(replica, id string, from, to time.Time) bool {
	since := from
	for _, c := range s.claims[replica] {
		if c.sent.Before(from) || c.sent.After(to) {
			continue
		}
		if c.view.Owner(id) != replica || c.sent.Sub(since) > renewedWithin {
			return false
		}
		since = c.sent
	}
	return to.Sub(since) <= renewedWithin
}

// String sums up what was there to be judged.
func (s *turns) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	writes, moves := 0, 0
	for _, all := range s.writes {
		writes += len(all)
		for i := 1; i < len(all); i++ {
			if all[i].replica != all[i-1].replica {
				moves++
			}
		}
	}
	return fmt.Sprintf("%d writes by %d replicas, who took over from each other %d times", writes, len(s.claims), moves)
}

// judgeTurns judges all clusters.
func (w *world) judgeTurns(t testing.TB) *failure {
	for name, c := range w.clusters {
		kubeSystem, err := c.Kube.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if failed := w.turns.judge(name, string(kubeSystem.UID)); failed != nil {
			return failed
		}
	}
	return nil
}
