package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"fanout/pkg/api"
	"fanout/pkg/api/statuses"
)

// fallback asks controllers, and what is in the hub where none of them answers the first question. Several questions may be under way at
// the same time; the first of them that ends says for all later ones whom to ask.
type fallback struct {
	statuses *statuses.Source

	mu          sync.Mutex
	controllers api.Source // nil where none can be asked
	why         error      // they can't
	answered    bool       // by controllers, which stay then
}

// tell says that no controller was asked, and what is missing because of that.
func (f *fallback) tell(errOut io.Writer) {
	f.mu.Lock()
	why := f.why
	f.mu.Unlock()
	if why == nil {
		return
	}
	missing := append([]string{"the members' state and version, and what stands in them"}, f.statuses.Lacks()...)
	fmt.Fprintf(errOut, "fanout: the controller could not be asked (%v), so this is what the statuses in the hub say. Missing are %s.\n", why, strings.Join(missing, "; "))
}

// source is whom to ask now.
func (f *fallback) source() api.Source {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.controllers != nil {
		return f.controllers
	}
	return f.statuses
}

// accepts notes how a question to controllers ended, and tells whether that is the answer.
func (f *fallback) accepts(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true // which says nothing about them
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil || errors.Is(err, api.ErrNotFound):
		f.answered = f.controllers != nil
		return true
	case f.answered:
		return true
	default:
		f.controllers, f.why = nil, err
		return false
	}
}

func first[T any](f *fallback, question func(api.Source) (T, error)) (T, error) {
	asked := f.source()
	answer, err := question(asked)
	if asked == f.statuses || f.accepts(err) {
		return answer, err
	}
	return question(f.statuses)
}

func (f *fallback) Agents(ctx context.Context, namespaces ...string) (api.Agents, error) {
	return first(f, func(s api.Source) (api.Agents, error) { return s.Agents(ctx, namespaces...) })
}

func (f *fallback) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	return first(f, func(s api.Source) (api.Canaries, error) { return s.Canaries(ctx, namespace) })
}

func (f *fallback) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	return first(f, func(s api.Source) (api.OneCanary, error) { return s.Canary(ctx, namespace, name) })
}

func (f *fallback) Find(ctx context.Context, agent, namespace, name string) (api.OneFound, error) {
	return f.source().Find(ctx, agent, namespace, name)
}

func (f *fallback) Changed() <-chan struct{} { return f.source().Changed() }
