package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// watcher is one watch that is being served.
type watcher struct {
	*member
	selects   func(*object) bool
	bookmarks bool
	cursor    cursor
	out       http.ResponseWriter
	buffer    []byte
}

// bookmarkPeriod is about how often a watch without news is told how far it is.
const bookmarkPeriod = time.Minute

// serveWatch brings what is there, where that is asked for, and then each change, until the client has enough or the time is up.
func (m *member) serveWatch(w http.ResponseWriter, r request) {
	selects, err := r.selection()
	if err != nil {
		m.answer(w, nil, err)
		return
	}
	from, stream := r.query.Get("resourceVersion"), r.query.Get("sendInitialEvents") == "true"
	watch := &watcher{member: m, selects: selects, bookmarks: r.query.Get("allowWatchBookmarks") == "true", out: w}
	var initial []*object
	begin(w)
	m.mu.Lock()
	if watch.cursor.version, err = strconv.ParseUint(from, 10, 64); stream || err != nil || watch.cursor.version == 0 {
		initial, watch.cursor.version = m.list(selects), m.version
	}
	oldest := m.before
	m.cursors[&watch.cursor] = struct{}{}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.cursors, &watch.cursor)
		m.mu.Unlock()
	}()
	if watch.cursor.version < oldest {
		expired := apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", watch.cursor.version, oldest))
		body, _ := json.Marshal(statusOf(expired))
		watch.event("ERROR", func(b []byte) []byte { return append(b, body...) })
		watch.flush()
		return
	}
	for _, o := range initial {
		watch.event("ADDED", o.appendTo)
	}
	if stream {
		watch.bookmark(`"annotations":{"k8s.io/initial-events-end":"true"},`)
	}
	watch.flush()
	ctx := r.Context()
	if seconds, _ := strconv.Atoi(r.query.Get("timeoutSeconds")); seconds > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer cancel()
	}
	watch.run(ctx)
}

// run brings changes until ctx ends.
func (w *watcher) run(ctx context.Context) {
	pause := func() time.Duration { return bookmarkPeriod - 5*time.Second + rand.N(10*time.Second) }
	due := time.NewTimer(pause())
	defer due.Stop()
	for {
		w.mu.Lock()
		changed, lost := w.changed, w.before > w.cursor.version
		first, _ := slices.BinarySearchFunc(w.events, w.cursor.version+1, func(e event, v uint64) int { return int(int64(e.version) - int64(v)) })
		news := w.events[first:]
		w.mu.Unlock()
		switch {
		case lost:
			return // as an API server ends a watch that can't keep up
		case len(news) > 0:
			if w.late(ctx, news[len(news)-1].at) != nil {
				return
			}
			for _, e := range news {
				w.change(e)
			}
			w.mu.Lock()
			w.cursor.version = news[len(news)-1].version
			w.mu.Unlock()
			w.flush()
			continue
		}
		select {
		case <-changed:
		case <-due.C:
			due.Reset(pause())
			if w.bookmarks {
				w.bookmark("")
				w.flush()
			}
		case <-ctx.Done():
			return
		}
	}
}

// change brings one change, as far as it is one of what is selected.
func (w *watcher) change(e event) {
	was := e.before != nil && w.selects(e.before)
	is := e.after != nil && w.selects(e.after)
	switch {
	case is && was:
		w.event("MODIFIED", e.after.appendTo)
	case is:
		w.event("ADDED", e.after.appendTo)
	case was:
		gone := *e.before
		gone.version = e.version
		w.event("DELETED", gone.appendTo)
	}
}

func (w *watcher) bookmark(annotations string) {
	w.event("BOOKMARK", func(b []byte) []byte {
		b = append(append(append(b, canaryHeader...), annotations...), `"resourceVersion":"`...)
		b = strconv.AppendUint(b, w.cursor.version, 10)
		return append(b, `"}}`...)
	})
}

func (w *watcher) event(kind string, object func([]byte) []byte) {
	w.buffer = append(append(append(w.buffer, `{"type":"`...), kind...), `","object":`...)
	w.buffer = append(object(w.buffer), "}\n"...)
	w.counts.watchEvents.Add(1)
	if kind != "BOOKMARK" {
		w.counts.busy.Store(time.Now().UnixNano())
	}
}

// flush sends what has been written, or the headers only.
func (w *watcher) flush() {
	w.counts.watchBytes.Add(int64(len(w.buffer)))
	if len(w.buffer) > 0 {
		_, _ = w.out.Write(w.buffer)
	}
	w.buffer = w.buffer[:0]
	if cap(w.buffer) > 64<<10 {
		w.buffer = nil // a member that is idle again should cost little
	}
	w.out.(http.Flusher).Flush()
}
