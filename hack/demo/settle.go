package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// stepTimeout bounds a step.
	stepTimeout = 30 * time.Second
	// hold is how long what a step has brought about must stay as it is.
	hold = 300 * time.Millisecond
)

// times are how long a step took from the first request until every cluster held what it should, and, of a step that is about the
// Canary's status, how long after the members' Canaries said so.
type times struct{ whole, since time.Duration }

// perform takes a step, and has look called whenever anything in the clusters has changed.
func (s *stage) perform(ctx context.Context, step step, look func()) (times, error) {
	begin := time.Now()
	look()
	for _, edit := range step.edits {
		if err := edit.do(ctx); err != nil {
			return times{}, fmt.Errorf("%s: %w", edit.command, err)
		}
	}
	return s.settle(ctx, begin, step, look)
}

// settle waits until all that step should bring about has come about, and makes sure that it stays so. The time is that of the last
// change, as the watches saw it.
func (s *stage) settle(ctx context.Context, begin time.Time, step step, look func()) (took times, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for _, member := range step.joins {
		s.registered[member] = true
	}
	for _, member := range step.leaves {
		delete(s.registered, member)
	}
	s.parent, err = s.hub.checks().Get(ctx, checkName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && s.parent.GetDeletionTimestamp() != nil {
		s.parent, err = nil, nil // canary-checker lets it go in a moment, if it has not yet
	}
	if err != nil {
		return times{}, err
	}

	var held <-chan time.Time
	var reported time.Time // when the members' Canaries said what step is to show
	for {
		seen, last, err := s.seen(step)
		if err != nil {
			return times{}, err
		}
		look()
		if reported.IsZero() && s.areReported(step, seen) {
			reported = time.Now()
		}
		wrong := s.differences(step, seen)
		switch {
		case len(wrong) > 0 && held != nil:
			return times{}, fmt.Errorf("it came out right, and then changed again: %w", wrong)
		case len(wrong) == 0 && held == nil:
			took = times{whole: max(0, last.Sub(begin)), since: max(0, last.Sub(reported))}
			held = time.After(hold)
		}
		select {
		case <-s.changed:
		case <-held:
			return took, s.takeStock(ctx, step)
		case <-s.fanout.ended:
			return times{}, errors.New("fanout ended")
		case <-ctx.Done():
			return times{}, fmt.Errorf("after %s: %w", time.Since(begin).Round(time.Millisecond), wrong)
		}
	}
}

// sight is what the clusters hold.
type sight struct {
	canaries map[string]objects // by cluster
	secrets  objects
}

// seen returns what the mirrors show, and when that last changed where step should change something.
func (s *stage) seen(step step) (seen sight, last time.Time, err error) {
	note := func(m *mirror, concerned bool) objects {
		held, at, ended := m.now()
		if concerned && at.After(last) {
			last = at
		}
		err = errors.Join(err, ended)
		return held
	}
	seen = sight{canaries: map[string]objects{}}
	for _, c := range s.all() {
		_, concerned := step.fates[c.name]
		concerned = concerned || c == s.hub && step.says != nil
		seen.canaries[c.name] = note(c.canaries, concerned)
	}
	seen.secrets = note(s.secrets, len(step.joins)+len(step.leaves) > 0)
	return seen, last, err
}

// takeStock lists everything once more, for the API servers to have the last word, and for the next step to compare with.
func (s *stage) takeStock(ctx context.Context, step step) (err error) {
	listed := sight{canaries: map[string]objects{}}
	for _, c := range s.all() {
		if listed.canaries[c.name], _, err = list(ctx, c.canaries.resource); err != nil {
			return err
		}
	}
	if listed.secrets, _, err = list(ctx, s.secrets.resource); err != nil {
		return err
	}
	if wrong := s.differences(step, listed); len(wrong) > 0 {
		return fmt.Errorf("the watches showed what they should, but a fresh list does not: %w", wrong)
	}
	s.lastCanaries = listed.canaries
	return nil
}

// differences are what is not as a step should leave it.
type differences []difference

type difference struct{ where, expected, found string }

// Error shows them side by side.
func (d differences) Error() string {
	var text strings.Builder
	text.WriteString("not every cluster is as it should be")
	for _, one := range d {
		fmt.Fprintf(&text, "\n  %s\n    expected: %s\n    there:    %s", one.where, one.expected, one.found)
	}
	return text.String()
}
