package access

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"fanout/pkg/api"
)

// Serving makes what answers from a source, and what ends that.
type Serving func(source api.Source) (handler http.Handler, end func())

const (
	// maxViews is how many sights are answered to at the same time, beside that of all.
	maxViews = 32
	// idleTime is for how long one stays that nobody uses.
	idleTime = 2 * time.Minute
)

var errTooMany = errors.New("too many people with different rights look at once; try again in a few minutes")

// views are what is answered, by what may be seen: all who may see the same share one.
type views struct {
	source api.Source
	make   Serving

	mu  sync.Mutex
	all map[string]*view
}

type view struct {
	http.Handler
	end  func()
	used int // by how many now
	last time.Time
}

func newViews(source api.Source, make Serving) *views {
	return &views{source: source, make: make, all: map[string]*view{}}
}

// of returns what answers to those who may see that, until done is called.
func (v *views) of(s Sight) (handler http.Handler, done func(), err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := s.key()
	known := v.all[key]
	if known == nil {
		if !s.All && len(v.all) >= maxViews && !v.makeRoom() {
			return nil, nil, errTooMany
		}
		source := v.source
		if !s.All {
			source = api.Only(source, s.Namespaces...)
		}
		known = &view{}
		known.Handler, known.end = v.make(source)
		v.all[key] = known
	}
	known.used++
	return known, func() { v.leave(key, known) }, nil
}

// leave says that one less uses it, and has it go after a while.
func (v *views) leave(key string, known *view) {
	v.mu.Lock()
	defer v.mu.Unlock()
	known.last = time.Now()
	if known.used--; known.used == 0 {
		time.AfterFunc(idleTime, func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.all[key] == known && known.used == 0 && time.Since(known.last) >= idleTime {
				v.drop(key)
			}
		})
	}
}

// makeRoom drops the one that has not been used for longest, and returns false where all are used. The caller has the lock.
func (v *views) makeRoom() bool {
	oldest := ""
	for key, known := range v.all {
		if known.used == 0 && (oldest == "" || known.last.Before(v.all[oldest].last)) {
			oldest = key
		}
	}
	if oldest == "" {
		return false
	}
	v.drop(oldest)
	return true
}

// drop ends one. The caller has the lock.
func (v *views) drop(key string) {
	v.all[key].end()
	delete(v.all, key)
}

// close ends all.
func (v *views) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key := range v.all {
		v.drop(key)
	}
}
