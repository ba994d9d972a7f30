package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanout/pkg/api"
	"fanout/pkg/results"
)

// view makes what a template shows of a snapshot. It is asked for by a request, of which it may look at the path's parts only.
type view func(ctx context.Context, s *snapshot, q query, r *http.Request) shown

// shown is what is to be shown, by which template and with which HTTP status.
type shown struct {
	template string
	code     int
	content  any
}

// fragment is what of a page may change while it is open.
type fragment struct {
	once sync.Once
	code int
	HTML template.HTML
	// Hash tells fragments apart that differ.
	Hash string
	// Stream is where changes of it are sent.
	Stream string
}

// fragment returns v of s as r asks for it. It is rendered once, whoever asks.
func (s *snapshot) fragment(r *http.Request, v view) *fragment {
	path := strings.TrimPrefix(r.URL.Path, "/events")
	q := parseQuery(path, r.URL.Query())
	key := q.String()
	s.mu.Lock()
	f := s.fragments[key]
	if f == nil {
		f = &fragment{Stream: "/events" + key}
		if len(s.fragments) < maxFragments {
			s.fragments[key] = f
		}
	}
	s.mu.Unlock()
	f.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), askTime)
		defer cancel()
		f.render(ctx, s, v, q, r)
	})
	return f
}

func (f *fragment) render(ctx context.Context, s *snapshot, v view, q query, r *http.Request) {
	made := problem(s.err)
	if s.err == nil {
		made = v(ctx, s, q, r)
	}
	var html bytes.Buffer
	if err := templates.ExecuteTemplate(&html, made.template, made.content); err != nil {
		html.Reset()
		made = problem(err)
		_ = templates.ExecuteTemplate(&html, made.template, made.content)
	}
	hash := fnv.New64a()
	_, _ = hash.Write(html.Bytes())
	f.code, f.HTML, f.Hash = made.code, template.HTML(html.String()), strconv.FormatUint(hash.Sum64(), 36)
}

// trouble is shown where a page can't be.
type trouble struct{ Heading, Text string }

// problem is what is shown of an error.
func problem(err error) shown {
	if err == nil {
		return shown{}
	}
	text := results.Clip(err.Error(), maxText)
	switch {
	case errors.Is(err, api.ErrNotFound):
		return shown{"trouble.html", http.StatusNotFound, trouble{"Not found", text}}
	case errors.Is(err, api.ErrNotKnown):
		return shown{"trouble.html", http.StatusServiceUnavailable, trouble{"Nothing to show here", strings.TrimPrefix(text, api.ErrNotKnown.Error()+": ")}}
	default:
		return shown{"trouble.html", http.StatusInternalServerError, trouble{"This can't be shown", text}}
	}
}

func nowhereView(context.Context, *snapshot, query, *http.Request) shown {
	return problem(fmt.Errorf("%w: there is no such page", api.ErrNotFound))
}

//go:embed templates
var source embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"path":    pathOf,
	"look":    lookOf,
	"count":   count,
	"plural":  plural,
	"stamp":   stamp,
	"keyed":   func(by string, keys []string) keyed { return keyed{by, keys} },
	"striped": func(s strip, ticks []tick, filled bool) striped { return striped{s, ticks, filled} },
}).ParseFS(source, "templates/*.html"))

// keyed is how agents are grouped, and may be.
type keyed struct {
	By   string
	Keys []string
}

// striped is a strip before its axis's ticks; Filled is one that begins at nothing.
type striped struct {
	strip
	Ticks  []tick
	Filled bool
}

// count writes a number with its thousands apart.
func count(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural is a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// moment is a time as it is shown: how long ago, or in how long, and exactly.
type moment struct{ Age, For, Exact, Machine string }

// stamp returns t as it is shown at that time, nil where it is not known.
func stamp(now time.Time, t *time.Time) *moment {
	if t == nil || t.IsZero() {
		return nil
	}
	m := &moment{Exact: t.UTC().Format("2006-01-02 15:04:05 UTC"), Machine: t.UTC().Format(time.RFC3339)}
	switch before := now.Sub(*t); {
	case before < -time.Minute:
		m.For = age(*t, now.Unix())
		m.Age = "in " + m.For
	case before < time.Minute:
		m.Age, m.For = "just now", "less than 1m"
	default:
		m.For = age(now, t.Unix())
		m.Age = m.For + " ago"
	}
	return m
}
