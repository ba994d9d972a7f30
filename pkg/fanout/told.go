package fanout

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// Where replicas share the members, one of them writes a parent's status: the one whose share the parent's UID is in, as if that were a
// member. The others tell it what they know of their own agents, as often as they would write it. See docs/adr/0009.

// told is what one replica knows of its own agents that a parent selects: all of them, so that it replaces what it told before.
type told struct {
	Namespace string          `json:"namespace"`
	Name      string          `json:"name"`
	UID       types.UID       `json:"uid"`
	Agents    []results.Agent `json:"agents"`
}

// heard is what a replica told of one agent.
type heard struct {
	// from is that replica, empty where it does not speak of the agent any more: then that counts until another one does.
	from  string
	agent results.Agent
}

// note has those told that ask for it what is known of this replica's own agents that p selects. Its status is another replica's to write.
func (s *statuses) note(p *parent) {
	s.mu.Lock()
	s.of(p).aggregates()
	s.mu.Unlock()
	agents := s.ownAgentsOf(p)
	asked := p.asked()
	next := results.Aggregate(asked, agents, p.shown, s.options.Clock.Now())
	told := s.tally(asked, &next)
	text, _ := json.Marshal(agents) // they hold nothing that can't be marshaled
	digest := sha256.Sum256(text)
	var after func()
	defer func() { after() }()
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.of(p)
	if known.mine {
		*known = status{uid: known.uid, stirred: known.stirred}
	}
	known.due = time.Time{}
	after = s.tells(p.key(), known, told)
	if s.options.Owner(string(p.GetUID())) != s.options.Replica {
		delete(s.heard, p.GetUID())
	}
	isNothing := len(agents) == 0 && known.noted == nil
	if isNothing || string(known.noted) == string(digest[:]) {
		return
	}
	s.turn++
	known.noted, known.turn, known.written.At = digest[:], s.turn, s.options.Clock.Now()
	close(s.news)
	s.news = make(chan struct{})
}

// Tell tells another replica what is known of this one's agents for each parent whose status that one writes, now and whenever it
// changes, until ctx ends.
func (c *Controller) Tell(ctx context.Context, asker string, send func(line any) error) error {
	for sent := uint64(0); ; {
		changed := c.options.Share.Changed()
		places, turn, news := c.statuses.toldSince(sent)
		for _, key := range places {
			item, _, _ := c.parents.GetByKey(cache.NewObjectName(key.Namespace, key.Name).String())
			p := asParent(item)
			if !p.isParent() || c.options.Owner(string(p.GetUID())) != asker {
				continue
			}
			if err := send(told{key.Namespace, key.Name, p.GetUID(), c.ownAgentsOf(p)}); err != nil {
				return err
			}
		}
		sent = turn
		select {
		case <-news:
		case <-changed: // other parents may be the asker's now
			sent = 0
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// toldSince returns the places of which something was told after that turn, the latest turn, and a channel that is closed by the next.
func (s *statuses) toldSince(turn uint64) (places []types.NamespacedName, latest uint64, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, known := range s.all {
		if known.turn > turn {
			places = append(places, key)
		}
	}
	return places, s.turn, s.news
}

// Hear takes in what another replica told of its agents.
func (c *Controller) Hear(teller string, line json.RawMessage) error {
	var news told
	if err := json.Unmarshal(line, &news); err != nil {
		return fmt.Errorf("read what another replica tells: %w", err)
	}
	s, key := c.statuses, types.NamespacedName{Namespace: news.Namespace, Name: news.Name}
	s.mu.Lock()
	all := s.heardBy(news.UID)
	for _, h := range all {
		if h.from == teller {
			h.from = ""
		}
	}
	for _, agent := range news.Agents {
		if before := all[agent.Name]; before != nil && agent.Unheard {
			before.from = teller // it has heard nothing yet that would be better
			continue
		}
		all[agent.Name] = &heard{teller, agent}
	}
	s.mu.Unlock()
	s.look(key, true)
	return nil
}

// heardBy returns what was told of the parent with that UID, to be added to. The caller has the lock.
func (s *statuses) heardBy(parent types.UID) map[string]*heard {
	if s.heard[parent] == nil {
		s.heard[parent] = map[string]*heard{}
	}
	return s.heard[parent]
}

// heardOf returns what other replicas told of each of p's agents.
func (s *statuses) heardOf(p *parent) map[string]*results.Agent {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.heard[p.GetUID()]
	agents := make(map[string]*results.Agent, len(all))
	for name, h := range all {
		agents[name] = &h.agent
	}
	return agents
}

// unhear forgets what was told of agents that are none of p's any more. The caller has the lock.
func (s *statuses) unhear(p *parent, agents []results.Agent) {
	all := s.heard[p.GetUID()]
	if len(all) == 0 {
		return
	}
	names := make(map[string]bool, len(agents))
	for i := range agents {
		names[agents[i].Name] = true
	}
	maps.DeleteFunc(all, func(name string, h *heard) bool { return h.from == "" && !names[name] })
}

// outdate forgets what others told of an agent that this replica works with from now on.
func (s *statuses) outdate(agent string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.heard {
		delete(all, agent)
	}
}

// keep remembers what is known of the agent's copies for the statuses that this replica writes, until the one tells more that works with
// its member now.
func (s *statuses) keep(agent string, last *running) {
	for _, item := range s.parents.List() {
		p := item.(*parent)
		place := derive.Place(p.key(), agent)
		if !p.isParent() || !last.Holds(place) || !s.isMine(p) {
			continue
		}
		report := last.Report(place)
		s.mu.Lock()
		if all := s.heardBy(p.GetUID()); all[agent] == nil {
			all[agent] = &heard{agent: report}
		}
		s.mu.Unlock()
	}
}

// entriesOf reads what p's status says of its agents.
func (s *statuses) entriesOf(ctx context.Context, p *parent) (map[string]*results.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout)
	defer cancel()
	live, err := dynamic.New(s.client).Resource(derive.Canaries).Namespace(p.GetNamespace()).Get(ctx, p.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the status of Canary %s: %w", p.key(), err)
	}
	if live.GetUID() != p.GetUID() {
		return nil, nil // another one by now
	}
	return results.ReadEntries(live.Object["status"]), nil
}

// followShare has all parents looked at when others may be this replica's to write, until ctx ends.
func (s *statuses) followShare(ctx context.Context) {
	for changed := s.options.Share.Changed(); changed != nil; {
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
		changed = s.options.Share.Changed()
		s.askAgain()
		s.lookAtAll()
	}
}

// askAgain notes that all replicas tell anew, and some are no more, and forgets what was told of parents that are none.
func (s *statuses) askAgain() {
	parents := map[types.UID]bool{}
	for _, item := range s.parents.List() {
		parents[item.(*parent).GetUID()] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for uid, all := range s.heard {
		if !parents[uid] {
			delete(s.heard, uid)
		}
		for _, h := range all {
			h.from = ""
		}
	}
}
