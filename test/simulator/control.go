package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"time"
)

// Site is how a member is reached.
type Site struct {
	Name       string `json:"name"`
	Kubeconfig []byte `json:"kubeconfig"`
}

// Behaviour is what some of the members do from now on.
type Behaviour struct {
	// From and To are the first member that does it, and the first one after it that does not.
	From, To int
	// Dead members refuse connections; those that are a Blackhole keep them and never answer.
	Dead, Blackhole bool
	// Latency is what each answer and each event of a watch is late.
	Latency time.Duration
}

// Counts are what has happened since the simulator was started.
type Counts struct {
	// Requests are those that came, by verb and resource: "apply canaries".
	Requests map[string]int64
	// Writes are those that changed something, by resource. Storms are none.
	Writes map[string]int64
	// Statuses are what a storm has written.
	Statuses int64
	// WatchEvents and WatchBytes are what watches have brought.
	WatchEvents, WatchBytes int64
	// Busy is when a member was last asked for, or told, anything but what it is asked and tells where nothing happens.
	Busy time.Time
	// Canaries is how many there are, and Watches how many are being served, in all members.
	Canaries, Watches int
}

// Main serves members as a process of its own, until its standard input ends. It prints the address at which it is controlled.
func Main(options Options) int {
	s, err := Start(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	control := &http.Server{Handler: s.control(), ReadHeaderTimeout: time.Minute}
	go func() { _ = control.Serve(listener) }()
	fmt.Println("ready", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = control.Close()
	_ = s.Stop()
	return 0
}

// control answers whoever started the simulator.
func (s *Simulator) control() http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, value any, err error) {
		if err == nil {
			err = json.NewEncoder(w).Encode(value)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	mux.HandleFunc("GET /members", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Sites(), nil) })
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Counts(), nil) })
	mux.HandleFunc("POST /behave", func(w http.ResponseWriter, r *http.Request) {
		var b Behaviour
		err := json.NewDecoder(r.Body).Decode(&b)
		if err == nil {
			err = s.Behave(b)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /storm", func(w http.ResponseWriter, r *http.Request) {
		period, err := time.ParseDuration(r.FormValue("period"))
		if err == nil {
			err = s.Storm(period)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("GET /holding", func(w http.ResponseWriter, r *http.Request) { answer(w, s.Holding(r.FormValue("text")), nil) })
	mux.HandleFunc("POST /check", func(w http.ResponseWriter, _ *http.Request) {
		s.Check()
		answer(w, nil, nil)
	})
	mux.HandleFunc("POST /wipe", func(w http.ResponseWriter, _ *http.Request) {
		s.Wipe()
		answer(w, nil, nil)
	})
	mux.HandleFunc("POST /expect", func(w http.ResponseWriter, r *http.Request) {
		var count int
		_, err := fmt.Sscan(r.FormValue("count"), &count)
		if err == nil {
			s.Expect(r.FormValue("text"), count)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("GET /arrived", func(w http.ResponseWriter, r *http.Request) {
		arrived, err := s.Arrived(r.Context(), r.FormValue("text"))
		answer(w, arrived, err)
	})
	return mux
}

// Sites returns all members.
func (s *Simulator) Sites() []Site {
	sites := make([]Site, len(s.members))
	for i := range sites {
		sites[i] = Site{Name: fmt.Sprintf("member-%d", i), Kubeconfig: s.Kubeconfig(i)}
	}
	return sites
}

// Counts returns what has happened so far.
func (s *Simulator) Counts() Counts {
	s.counts.mu.Lock()
	c := Counts{
		Requests: maps.Clone(s.counts.requests), Writes: maps.Clone(s.counts.writes), Statuses: s.counts.statuses.Load(),
		WatchEvents: s.counts.watchEvents.Load(), WatchBytes: s.counts.watchBytes.Load(),
		Busy: time.Unix(0, s.counts.busy.Load()),
	}
	s.counts.mu.Unlock()
	for _, m := range s.members {
		m.mu.Lock()
		c.Canaries += len(m.objects)
		c.Watches += len(m.cursors)
		m.mu.Unlock()
	}
	return c
}

// Behave has some of the members do as it says. What it does not name, they do no more.
func (s *Simulator) Behave(b Behaviour) error {
	for i := b.From; i < b.To; i++ {
		m := s.members[i]
		m.latency.Store(int64(b.Latency))
		m.blackhole(b.Blackhole)
		if b.Dead {
			s.kill(i)
		} else if err := s.revive(i); err != nil {
			return err
		}
	}
	return nil
}

// Holding counts the Canaries whose spec holds text.
func (s *Simulator) Holding(text string) (count int) {
	for _, m := range s.members {
		m.mu.Lock()
		for _, o := range m.objects {
			if bytes.Contains(o.spec, []byte(text)) {
				count++
			}
		}
		m.mu.Unlock()
	}
	return count
}

// Wipe removes all Canaries from all members, and ends all watches: it is for when nobody is looking.
func (s *Simulator) Wipe() {
	for _, m := range s.members {
		m.wipe()
	}
}

// Storm changes each status in each member once in a period; a period of 0 ends that.
func (s *Simulator) Storm(period time.Duration) error {
	if period == 0 {
		s.storm.stop()
		return nil
	}
	return s.blow(period)
}

// Expect begins to wait for a number of writes of Canaries whose spec or labels hold text.
func (s *Simulator) Expect(text string, count int) { s.arrivals.expect(text, count) }

// Arrived returns when what Expect was told of has come, or, with what has come, when ctx ends.
func (s *Simulator) Arrived(ctx context.Context, text string) ([]Arrival, error) {
	expected := s.arrivals.of(text)
	if expected == nil {
		return nil, fmt.Errorf("nobody expects %q", text)
	}
	_ = waitFor(ctx, expected.done)
	return s.arrivals.forget(text), nil
}
