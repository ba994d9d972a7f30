package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// Options say which control planes to start.
type Options struct {
	// Dir holds their data and kubeconfigs. A control plane that is there already is started again with all it had.
	Dir string
	// Names are DNS labels, one for each control plane.
	Names []string
	// Complete control planes have the APIs about workloads as well, and admit them as a cluster does, by Pod Security and the like.
	Complete bool
	// Large control planes are for thousands of objects, and collect garbage as a real API server does. Where more is in the others than half
	// a gigabyte has room for, they do little else.
	Large bool
	// Log is told what takes time: the build, and each start. Nil is silent.
	Log io.Writer
}

// Set is a number of control planes that run until Stop, or until this process ends.
type Set struct {
	clusters map[string]*Cluster
	log      io.Writer
}

// Start builds the binary, starts the control planes at once, and returns when all are ready. Ctx bounds the start only.
func Start(ctx context.Context, opts Options) (*Set, error) {
	log := opts.Log
	if log == nil {
		log = io.Discard
	}
	log = &lockedWriter{w: log}
	binary, err := Build(ctx, log)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Dir, 0o755); err != nil {
		return nil, err
	}
	s := &Set{clusters: map[string]*Cluster{}, log: log}
	for _, name := range opts.Names {
		s.clusters[name] = &Cluster{Name: name, binary: binary, dir: opts.Dir, complete: opts.Complete, large: opts.Large}
	}
	if err := s.each(func(name string) error { return s.StartOne(ctx, name) }); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Cluster returns the control plane of that name, or nil.
func (s *Set) Cluster(name string) *Cluster {
	return s.clusters[name]
}

// Stop stops all control planes and waits until their processes have ended.
func (s *Set) Stop() error {
	return s.each(s.StopOne)
}

// each does something to all control planes at once.
func (s *Set) each(do func(name string) error) error {
	errs := make(chan error, len(s.clusters))
	for name := range s.clusters {
		go func() { errs <- do(name) }()
	}
	var all error
	for range s.clusters {
		all = errors.Join(all, <-errs)
	}
	return all
}

// StopOne stops one control plane and waits until its process has ended: connections break, and new ones are refused. Its data
// stays. Stopping what is stopped does nothing.
func (s *Set) StopOne(name string) error {
	c, err := s.find(name)
	if err != nil {
		return err
	}
	return c.stop()
}

// StartOne starts a stopped control plane again, with its data and at its address, and returns when it is ready.
func (s *Set) StartOne(ctx context.Context, name string) error {
	c, err := s.find(name)
	if err != nil {
		return err
	}
	took, err := c.start(ctx)
	if err != nil {
		return fmt.Errorf("start control plane %s: %w", name, err)
	}
	fmt.Fprintf(s.log, "control plane %s is ready after %.1fs\n", name, took.Seconds())
	return nil
}

// Restart is StopOne and then StartOne.
func (s *Set) Restart(ctx context.Context, name string) error {
	if err := s.StopOne(name); err != nil {
		return err
	}
	return s.StartOne(ctx, name)
}

// Pause freezes one control plane: connections stay open, new ones are taken, and no request is answered, as when a network drops
// every packet.
func (s *Set) Pause(name string) error {
	c, err := s.find(name)
	if err != nil {
		return err
	}
	if err := c.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return c.awaitStopped()
}

// Resume lets a paused control plane go on.
func (s *Set) Resume(name string) error {
	return s.signal(name, syscall.SIGCONT)
}

func (s *Set) signal(name string, sig syscall.Signal) error {
	c, err := s.find(name)
	if err != nil {
		return err
	}
	return c.signal(sig)
}

func (s *Set) find(name string) (*Cluster, error) {
	if c := s.clusters[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("no control plane %q in this set", name)
}

// lockedWriter lets several starts report to one writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
