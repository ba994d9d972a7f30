package controlplane

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// besides is how many tests of a pool run beside each other. Mostly they wait, so that two cores are busy with so many, and more
// would only be late; each set of four control planes takes a gigabyte or two. go test -parallel says otherwise.
const besides = 4

// Pool lends sets of control planes, all alike, to tests that run beside each other: as many sets as there are tests at once. Each
// is started when it is first needed.
type Pool struct {
	dir   string
	names []string
	log   io.Writer

	mu   sync.Mutex // guards what follows
	sets []*Set
	free []*Set
}

// PoolForMain is ForMain for tests that call t.Parallel. It fills pool before the tests run.
func PoolForMain(m interface{ Run() int }, pool **Pool, names ...string) int {
	flag.Parse()
	parallel := besides
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "test.parallel" {
			parallel, _ = strconv.Atoi(f.Value.String())
		}
	})
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		return complain(err)
	}
	dir, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	p := &Pool{dir: dir, names: names, log: &lockedWriter{w: os.Stderr}}
	*pool = p
	code := m.Run()
	if err := p.stop(); err != nil {
		return complain(err)
	}
	return code
}

// Lend returns a set that is t's alone until t and its cleanups, except those from before this call, have ended. Whoever stops one
// of its control planes starts it again until then.
func (p *Pool) Lend(t testing.TB) *Set {
	t.Helper()
	set, err := p.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.free = append(p.free, set)
	})
	return set
}

func (p *Pool) take(ctx context.Context) (*Set, error) {
	p.mu.Lock()
	defer p.mu.Unlock() // kept while one starts: two starts at once are no faster
	if last := len(p.free) - 1; last >= 0 {
		set := p.free[last]
		p.free = p.free[:last]
		return set, nil
	}
	set, err := Start(ctx, Options{Dir: filepath.Join(p.dir, strconv.Itoa(len(p.sets))), Names: p.names, Log: p.log})
	if err != nil {
		return nil, err
	}
	p.sets = append(p.sets, set)
	return set, nil
}

func (p *Pool) stop() error {
	var all error
	for _, set := range p.sets {
		all = errors.Join(all, set.Stop())
	}
	return all
}
