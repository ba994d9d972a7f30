package shard

import (
	"context"
	"errors"
	"sync"
)

// Share is the part of the work that is this replica's now. A nil Share is all of it, for good. All methods may be called at
// the same time, Set aside.
type Share struct {
	permit func() error

	mu      sync.Mutex
	mine    func(key string) bool
	begun   map[*begun]struct{}
	changed chan struct{} // closed when mine is another
}

// begun is a piece of work with a key.
type begun struct {
	key   string
	lose  context.CancelCauseFunc
	ended chan struct{}
}

// ErrLost is the cause of a context that has ended since the key it was begun with is not this replica's any more.
var ErrLost = errors.New("another replica works with that from now on")

// NewShare returns a Share of nothing. Permit returns an error while the replica may write nothing at all.
func NewShare(permit func() error) *Share {
	return &Share{
		permit: permit, mine: func(string) bool { return false },
		begun: map[*begun]struct{}{}, changed: make(chan struct{}),
	}
}

// Mine tells whether key is this replica's now.
func (s *Share) Mine(key string) bool {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mine(key)
}

// Changed is closed when what is this replica's has changed since the call; nil where that never happens.
func (s *Share) Changed() <-chan struct{} {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Begin begins work with key, if that is this replica's. The context that it returns ends with the one given, or, with the
// cause ErrLost, when the key is to be let go of. End says that the work has ended.
func (s *Share) Begin(ctx context.Context, key string) (working context.Context, end func(), ok bool) {
	if s == nil {
		return ctx, func() {}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mine(key) {
		return ctx, nil, false
	}
	working, lose := context.WithCancelCause(ctx)
	b := &begun{key: key, lose: lose, ended: make(chan struct{})}
	s.begun[b] = struct{}{}
	return working, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		lose(context.Canceled)
		delete(s.begun, b)
		close(b.ended)
	}, true
}

// While does the work with key whenever that is this replica's, until ctx ends. The context that work gets ends when it has to
// return.
func (s *Share) While(ctx context.Context, key string, work func(context.Context)) {
	for ctx.Err() == nil {
		changed := s.Changed()
		if working, end, ok := s.Begin(ctx, key); ok {
			work(working)
			end()
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// Set makes those keys this replica's that mine says, and returns when the work with all others has ended.
func (s *Share) Set(mine func(key string) bool) {
	s.mu.Lock()
	s.mine = mine
	close(s.changed)
	s.changed = make(chan struct{})
	var lost []*begun
	for b := range s.begun {
		if !mine(b.key) {
			b.lose(ErrLost)
			lost = append(lost, b)
		}
	}
	s.mu.Unlock()
	for _, b := range lost {
		<-b.ended
	}
}
