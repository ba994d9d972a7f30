package page

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

const (
	// pace is how long a snapshot serves at least: with the time that the source takes to tell that something changed, and as much to read it,
	// what an open page shows is not older than a second.
	pace = 500 * time.Millisecond
	// maxShare bounds what pages ask of the source to one part in so many of the time: where a snapshot takes long to be read, it serves so many
	// times as long, up to maxAge.
	maxShare = 2
	// maxAge is how long it serves where nothing changes, but the ages of what is shown.
	maxAge = 15 * time.Second
	// askTime is how long a source may take for all that one page needs.
	askTime = 20 * time.Second
	// maxCells bounds what is remembered of all Canaries on all agents: 40 MiB.
	maxCells = 2 << 20
	// maxTroubles is of how many copies of one Canary that are not well the texts are remembered.
	maxTroubles = 64
	// maxFragments is how many different views of one moment are kept.
	maxFragments = 256
)

// snapshot is what the source knew at one moment. It is read by many at a time.
type snapshot struct {
	source  api.Source
	clock   clock.PassiveClock
	taken   time.Time
	took    atomic.Int64    // nanoseconds, for what the source was asked so far
	changed <-chan struct{} // closed when the source may know something else

	// err is why the source knows nothing; then all else is empty.
	err      error
	teller   api.Teller
	agents   []api.Agent // by name
	places   map[string]int
	canaries []api.Canary // by namespace and name

	mu        sync.Mutex
	rows      map[int]*row // by the place in canaries
	room      int          // cells that may still be remembered
	fragments map[string]*fragment
}

// row is one Canary on all agents.
type row struct {
	once   sync.Once
	isRead atomic.Bool
	readAt time.Time
	err    error
	canary api.Canary
	cells  []cell            // by the agents' places; nil where there is no room for them
	texts  map[int]*api.Copy // of the first that are not well
}

var errNoRoom = errors.New("there are too many Canaries and agents to look at all of them at once: ask for fewer by a filter")

// snapshot returns one that is new enough.
func (p *Page) snapshot(ctx context.Context) *snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now == nil || !p.now.serves(p.clock.Now()) {
		if s := p.take(ctx); s.err == nil || ctx.Err() == nil {
			p.now = s
		} else {
			return s // the next one asks again
		}
	}
	return p.now
}

// serves tells whether s is new enough at that time.
func (s *snapshot) serves(now time.Time) bool {
	old := now.Sub(s.taken)
	return old >= 0 && (old < s.pace() || old < maxAge && !s.isOutdated())
}

// pace is how long it serves even though something has changed.
func (s *snapshot) pace() time.Duration {
	return min(max(pace, maxShare*time.Duration(s.took.Load())), maxAge)
}

func (s *snapshot) isOutdated() bool {
	select {
	case <-s.changed:
		return true
	default:
		return false
	}
}

func (p *Page) take(ctx context.Context) *snapshot {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	s := &snapshot{
		source: p.source, changed: p.source.Changed(), // before anything is asked
		clock: p.clock, taken: p.clock.Now(), rows: map[int]*row{}, room: maxCells, fragments: map[string]*fragment{}, places: map[string]int{},
	}
	agents, err := p.source.Agents(ctx)
	if err != nil {
		s.err = err
		return s
	}
	canaries, err := p.source.Canaries(ctx, "")
	if err != nil {
		s.err = err
		return s
	}
	s.teller = agents.Teller
	s.agents = make([]api.Agent, len(agents.Items))
	for i := range agents.Items {
		s.places[agents.Items[i].Name] = i
		s.agents[i] = cleanAgent(agents.Items[i])
	}
	s.canaries = canaries.Items
	s.took.Store(int64(s.clock.Since(s.taken)))
	s.inherit(p.now)
	return s
}

// Clock is when it was taken, and Version and Hub whose knowledge it is.
func (s *snapshot) Clock() string   { return s.taken.UTC().Format("15:04:05 UTC") }
func (s *snapshot) Version() string { return results.Clip(s.teller.Version, maxWord) }
func (s *snapshot) Hub() string     { return results.Clip(s.teller.Hub, maxWord) }

// Namespaces are the only ones that it tells of, in words, and silent those that did not answer.
func (s *snapshot) Namespaces() string { return wordsOf("namespace", s.teller.Namespaces) }
func (s *snapshot) silent() string     { return wordsOf("replica", s.teller.Silent) }

// wordsOf names some things of one kind, or the first of them with how many there are besides.
func wordsOf(kind string, names []string) string {
	shown := cleanList(names[:min(len(names), namesShown)], maxName)
	if more := len(names) - len(shown); more > 0 {
		shown = append(shown, count(more)+" more")
	}
	switch last := len(shown) - 1; last {
	case -1:
		return ""
	case 0:
		return kind + " " + shown[0]
	default:
		return kind + "s " + strings.Join(shown[:last], ", ") + " and " + shown[last]
	}
}

// ask asks for one Canary with its copies.
func (s *snapshot) ask(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	began := s.clock.Now()
	defer func() { s.took.Add(int64(s.clock.Since(began))) }()
	return s.source.Canary(ctx, namespace, name)
}

// canary returns one without its copies, by its place.
func (s *snapshot) canary(i int) api.Canary { return cleanCanary(s.canaries[i]) }

// row returns the Canary at that place on all agents, which is asked for once.
func (s *snapshot) row(ctx context.Context, i int) *row {
	s.mu.Lock()
	r := s.rows[i]
	if r == nil {
		if s.room < len(s.agents) {
			s.mu.Unlock()
			return &row{err: errNoRoom, canary: s.canary(i)}
		}
		s.room -= len(s.agents)
		r = &row{}
		s.rows[i] = r
	}
	s.mu.Unlock()
	r.once.Do(func() { r.read(ctx, s, i) })
	return r
}

func (r *row) read(ctx context.Context, s *snapshot, i int) {
	// Others may wait for this who are there for longer than whoever asked first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
	defer cancel()
	defer r.isRead.Store(true)
	r.canary, r.readAt = s.canary(i), s.taken
	answer, err := s.ask(ctx, s.canaries[i].Namespace, s.canaries[i].Name)
	if err != nil {
		r.err = err
		return
	}
	r.canary = cleanCanary(answer.Canary)
	r.cells = make([]cell, len(s.agents))
	r.texts = map[int]*api.Copy{}
	for j := range answer.Canary.Copies {
		place, known := s.places[answer.Canary.Copies[j].Agent]
		if !known {
			continue
		}
		r.cells[place] = cellOf(&answer.Canary.Copies[j])
		if r.cells[place].isTrouble() && len(r.texts) < maxTroubles {
			clean := cleanCopy(answer.Canary.Copies[j])
			r.texts[place] = &clean
		}
	}
}
