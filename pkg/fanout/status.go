package fanout

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"fanout/pkg/results"
)

// status is what is known of one parent's.
type status struct {
	uid     types.UID
	written results.Written
	// version is that of the parent in which written.Shown stands.
	version uint64
	// expected is what is being written.
	expected results.Digest
	// before is what it said of agents when nothing was known of them, as far as nothing better is.
	before map[string]*results.Entry
	// told is what is told of it, nil before it was first aggregated, and stirred the agents of which something was heard since that is being
	// done anew, nil while it is not.
	told    *tally
	stirred map[string]bool
	// mine is set while this process writes it.
	mine bool
	// noted is a digest of what was last told of this replica's own agents to the one that writes it, and turn when, among all.
	noted []byte
	turn  uint64
	// due is when it is looked at next, zero where it is not.
	due time.Time
	// retry is before when it is not written again, since that has failed so often in a row.
	retry    time.Time
	failures int
}

// sync brings one Canary's status to what is known of its agents, if that is due.
func (s *statuses) sync(ctx context.Context, key types.NamespacedName) {
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "parent", key))
	item, _, _ := s.parents.GetByKey(cache.NewObjectName(key.Namespace, key.Name).String())
	p := asParent(item)
	if !p.isParent() || p.GetDeletionTimestamp() != nil {
		s.giveBack(ctx, key, p)
		return
	}
	ctx, end, mine := s.options.Share.Begin(ctx, string(p.GetUID()))
	if !mine {
		s.note(p)
		return
	}
	defer end()
	known := s.read(ctx, p)
	if known == nil {
		return
	}
	now := s.options.Clock.Now()
	agents := s.agentsOf(p, known.before, s.heardOf(p))
	s.mu.Lock()
	known.outgrow(agents)
	s.mu.Unlock()
	asked := p.asked()
	next := results.Aggregate(asked, agents, known.written.Shown, now)
	told := s.tally(asked, &next)

	s.mu.Lock()
	s.mirrors.count(p, told.Agents)
	after := s.tells(key, known, told)
	s.unhear(p, agents)
	at, due := known.written.Due(&next, now)
	at = later(at, known.retry)
	if !next.Next.IsZero() {
		s.lookAt(key, next.Next, now)
	}
	switch {
	case due && at.After(now):
		s.lookAt(key, at, now)
		due = false
	case due:
		known.expected = next.Shown.Whole
	}
	events := known.events(&next, due)
	s.mu.Unlock()
	after()
	if due && !s.write(ctx, p, known, &next) {
		return
	}
	for _, event := range events {
		kind := corev1.EventTypeNormal
		if event.Warning {
			kind = corev1.EventTypeWarning
		}
		s.options.Recorder.Event(reference(p), kind, event.Reason, event.Message)
	}
}

// read returns what is known of p's status, which the hub may have told more of since; nil where that is to be tried again.
func (s *statuses) read(ctx context.Context, p *parent) *status {
	s.mu.Lock()
	known := s.of(p)
	isNews, entries := !known.mine, p.entries
	s.mu.Unlock()
	var err error
	if isNews && s.options.Share != nil && p.shown.Agents > 0 {
		entries, err = s.entriesOf(ctx, p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known = s.of(p)
	if err != nil {
		known.due = time.Time{}
		s.again(ctx, p.key(), known, err, s.options.Clock.Now())
		return nil
	}
	if !known.mine {
		known.mine, known.before, known.noted, known.turn, known.version = true, entries, nil, 0, 0
		known.written = results.Written{Patience: s.patience}
		if s.options.Share != nil { // others have to tell first
			known.written.Patience = later(s.patience, s.options.Clock.Now().Add(startPatience))
		}
	}
	known.due, p.entries = time.Time{}, nil
	known.aggregates()
	// In a hub that was restored from a backup versions go back. What comes long after the last write is not the watch being late.
	isLater := p.seen.After(known.written.At.Add(results.UpdatePause))
	if version, err := strconv.ParseUint(p.GetResourceVersion(), 10, 64); err != nil || version > known.version || isLater {
		generation := known.written.Shown.Generation
		known.written.Shown, known.version = p.shown, version
		known.written.Shown.Generation = generation
	}
	return known
}

// of is what is known of p's status. The caller has the lock.
func (s *statuses) of(p *parent) *status {
	known := s.all[p.key()]
	if known == nil || known.uid != "" && known.uid != p.GetUID() {
		known = &status{}
		s.all[p.key()] = known
	}
	known.uid = p.GetUID()
	return known
}

// outgrow forgets what the status said of agents of which more is known now, or that are none any more.
func (k *status) outgrow(agents []results.Agent) {
	if len(k.before) == 0 {
		return
	}
	before := map[string]*results.Entry{}
	for i := range agents {
		if a := &agents[i]; a.Before != nil && (a.Unheard || a.Away.Reason != "") {
			before[a.Name] = a.Before
		}
	}
	k.before = before
}

// events are those to tell of when the status goes to next. Where it is not written now, they are those of which it says nothing: that
// an edit has come to all agents.
func (k *status) events(next *results.Aggregated, written bool) []results.Event {
	shown := &k.written.Shown
	if written {
		return next.Events(*shown)
	}
	if next.Shown.InSync < next.Shown.Agents || shown.InSync < shown.Agents || shown.Out > 0 {
		return nil
	}
	before := next.Shown
	before.Generation = shown.Generation
	shown.Generation = next.Shown.Generation
	return next.Events(before)
}

// write writes next to p's status, and returns whether that worked.
func (s *statuses) write(ctx context.Context, p *parent, known *status, next *results.Aggregated) bool {
	var err error
	if p.crowded || next.Shown.Agents == 0 && known.written.Shown.Agents > 0 {
		err = s.patchStatus(ctx, p, next.Leftovers)
	}
	var answer appliedStatus
	var size int
	if err == nil {
		answer, size, err = s.applyStatus(ctx, p, next.Status)
	}
	now := s.options.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	known.expected = results.Digest{}
	switch {
	case ctx.Err() != nil:
		return false
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		return false // another one by now, or none: the hub's watch tells
	case err != nil:
		s.options.Metrics.statusWritten("failed", 0)
		s.again(ctx, p.key(), known, fmt.Errorf("write: %w", err), now)
		return false
	}
	s.options.Metrics.statusWritten("written", size)
	known.failures, known.retry = 0, time.Time{}
	known.written.Wrote(next, answer.shown, now)
	known.version = max(known.version, answer.version)
	return true
}

// again tries again later what has failed. The caller has the lock.
func (s *statuses) again(ctx context.Context, key types.NamespacedName, known *status, err error, now time.Time) {
	if known.failures == 0 {
		klog.FromContext(ctx).Error(err, "Keep a status")
	} else {
		klog.FromContext(ctx).V(2).Info("Still no status", "failures", known.failures, "err", err)
	}
	delay := min(statusRetry<<min(known.failures, 10), maxStatusRetry)
	known.failures++
	known.retry = now.Add(delay/2 + rand.N(delay))
	s.lookAt(key, known.retry, now)
}

// giveBack gives up what fanout wrote to the status of a Canary that is no parent any more, and forgets it. p may be nil.
func (s *statuses) giveBack(ctx context.Context, key types.NamespacedName, p *parent) {
	if p != nil && p.reported && p.GetDeletionTimestamp() == nil && s.isMine(p) {
		err := s.patchStatus(ctx, p, results.Farewell)
		if err == nil {
			_, _, err = s.applyStatus(ctx, p, nil)
		}
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "Give status back")
			s.mu.Lock()
			defer s.mu.Unlock()
			if known := s.all[key]; known != nil {
				known.due = time.Time{}
			}
			now := s.options.Clock.Now()
			s.lookAt(key, now.Add(maxStatusRetry), now)
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.all[key]; known != nil {
		delete(s.heard, known.uid)
	}
	delete(s.all, key)
}

// asked is what of p counts for its status.
func (p *parent) asked() results.Parent {
	asked := results.Parent{Generation: p.GetGeneration()}
	if p.canary != nil {
		asked = results.ReadParent(p.canary.Object)
	}
	if p.invalid != nil {
		asked.Fault = p.invalid.Error()
	}
	return asked
}
