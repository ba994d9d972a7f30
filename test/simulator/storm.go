package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// storm writes statuses, as canary-checker does in each member after each run of a check.
type storm struct {
	statuses []recorded

	mu      sync.Mutex
	running chan struct{} // nil where it is calm
	stopped sync.WaitGroup
}

// recorded is a status that canary-checker was recorded to write, with its field manager's entry.
type recorded struct {
	status    []byte
	lastCheck string // in it, to be replaced by the present time
	entry     managedEntry
}

// stormTick is how often some of the statuses are written.
const stormTick = 10 * time.Millisecond

func (s *Simulator) readStatuses(paths []string) ([]recorded, error) {
	var all []recorded
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		canary := &unstructured.Unstructured{}
		if err := json.Unmarshal(data, &canary.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		r := recorded{status: jsonOf(canary.Object["status"])}
		r.lastCheck, _, _ = unstructured.NestedString(canary.Object, "status", "lastCheck")
		for _, entry := range canary.GetManagedFields() {
			if entry.Subresource == "status" && entry.Operation == metav1.ManagedFieldsOperationUpdate {
				r.entry = s.managedEntryOf(entry)
			}
		}
		if r.lastCheck == "" || r.entry.manager == "" {
			return nil, fmt.Errorf("%s: not a Canary that has been run", path)
		}
		all = append(all, r)
	}
	return all, nil
}

// blow changes each status in each member once in a period, evenly spread, until the storm is stopped.
func (s *Simulator) blow(period time.Duration) error {
	if len(s.storm.statuses) == 0 {
		return fmt.Errorf("no statuses to write")
	}
	s.storm.stop()
	s.storm.mu.Lock()
	defer s.storm.mu.Unlock()
	running := make(chan struct{})
	s.storm.running = running
	s.storm.stopped.Go(func() {
		ticker := time.NewTicker(stormTick)
		defer ticker.Stop()
		began, written := time.Now(), 0 // members whose statuses have been written
		for {
			select {
			case <-running:
				return
			case <-ticker.C:
			}
			due := int(time.Since(began).Seconds() / period.Seconds() * float64(len(s.members)*stormSlices))
			for ; written < due; written++ {
				member, slice := s.members[written%len(s.members)], written/len(s.members)
				s.writeStatuses(member, slice)
			}
		}
	})
	return nil
}

// stormSlices is in how many parts a member's statuses are written: so that they do not come all at once.
const stormSlices = 10

// writeStatuses gives a slice of a member's Canaries their next status.
func (s *Simulator) writeStatuses(m *member, slice int) {
	at := now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, o := range m.inOrder() {
		if i%stormSlices != slice%stormSlices {
			continue
		}
		next := *o
		next.status, next.managed = s.storm.next(&s.share, o, i+slice/stormSlices, at)
		m.commit(o, &next)
		s.counts.statuses.Add(1)
	}
}

// next is the status after o's, and who manages what of it then.
func (s *storm) next(share *shared, o *object, turn int, at string) ([]byte, []managedEntry) {
	r := s.statuses[turn%len(s.statuses)]
	status := share.bytes(bytes.ReplaceAll(r.status, []byte(r.lastCheck), []byte(at)))
	entry := r.entry
	entry.time = at
	managed := make([]managedEntry, 0, len(o.managed)+1)
	for _, other := range o.managed {
		if other.subresource != "status" {
			managed = append(managed, other)
		}
	}
	return status, append(managed, entry)
}

// inOrder returns a member's Canaries, each time in the same order as long as they are the same. The caller has the lock.
func (m *member) inOrder() []*object {
	return m.list(func(*object) bool { return true })
}

func (s *storm) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		close(s.running)
		s.running = nil
	}
	s.stopped.Wait()
}
