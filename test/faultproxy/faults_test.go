package faultproxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestCut(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	stream := c.stream(t, b)
	heal := p.Cut()
	if _, err := stream.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the open stream ended with %v", err)
	}
	if got, err := c.text(t, "/api"); err == nil {
		t.Errorf("an answer came: %q", got)
	}
	heal()
	c.mustGet(t, "/api")
}

func TestReset(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	stream := c.stream(t, b)
	p.Reset()
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the open stream ended with %v", err)
	}
	c.mustGet(t, "/api")
}

// What was open goes silent, and stays so; what comes after works.
func TestHalfOpen(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	old := newClient(t, p)
	stream := old.stream(t, b)
	read := make(chan error, 1)
	p.HalfOpen()
	go func() {
		_, err := stream.Read(make([]byte, 1))
		read <- err
		close(read)
	}()
	b.lines <- "lost"
	lost := old.begin(t, "/lost")
	p.Heal()
	newClient(t, p).mustGet(t, "/new")
	for path := range b.arrived {
		if path == "/new" {
			break
		} else if path == "/lost" {
			t.Error("a request came through")
		}
	}
	select {
	case err := <-read:
		t.Errorf("the open stream brought something, or ended: %v", err)
	default:
	}
	if !lost.isOpen() {
		t.Errorf("an answer came: %q, %v", lost.text, lost.err)
	}
	old.Client.CloseIdleConnections()
	p.close() // only the end of the proxy ends it
	<-read
}

// The server does what it is asked, and the answer comes when the fault is healed, to whoever still waits.
func TestBlackhole(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	c.mustGet(t, "/before")
	heal := p.Blackhole()
	kept := c.begin(t, "/kept")
	for <-b.arrived != "/kept" {
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, newClient(t, p).address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t, p).Do(request); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a new connection came to %v", err)
	}
	if !kept.isOpen() {
		t.Errorf("an answer came: %q, %v", kept.text, kept.err)
	}
	heal()
	if got := kept.wait(t); got != "/kept" {
		t.Errorf("the answer is %q", got)
	}
}

func TestThrottle(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	c.mustGet(t, "/before")
	path := "/" + strings.Repeat("x", 4000)
	p.Throttle(20_000)
	began := time.Now()
	c.mustGet(t, path)
	// It can only take longer on a slow machine, never less.
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("4000 bytes took %s at 20000 per second", took)
	}
	p.Heal()
	heal := p.Throttle(1)
	slow := c.begin(t, path)
	for <-b.arrived != path {
	}
	heal()
	slow.wait(t)
}

// A delayed request has not reached the server; one whose answer is slow has.
func TestDelayAndSlow(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	healDelay := p.Delay(limit, Match{Path: "/delayed"})
	healSlow := p.Slow(limit, Match{Path: "/slow"})
	delayed, slow := c.begin(t, "/delayed"), c.begin(t, "/slow")
	if got := <-b.arrived; got != "/slow" {
		t.Errorf("%q arrived", got)
	}
	c.mustGet(t, "/other")
	if <-b.arrived != "/other" || !delayed.isOpen() || !slow.isOpen() {
		t.Error("something did not wait")
	}
	healDelay()
	delayed.wait(t)
	if !slow.isOpen() {
		t.Error("healing one healed the other")
	}
	healSlow()
	healSlow() // twice does nothing
	slow.wait(t)
}

// The answers are such as client-go takes for an API server's.
func TestAnswer(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	const canary = "/apis/canaries.flanksource.com/v1/namespaces/team/canaries/api"
	for code, is := range map[int]func(error) bool{
		429: func(err error) bool {
			seconds, ok := apierrors.SuggestsClientDelay(err)
			return apierrors.IsTooManyRequests(err) && ok && seconds == 1
		},
		500: apierrors.IsInternalError,
		503: apierrors.IsServiceUnavailable,
		507: func(err error) bool {
			var status apierrors.APIStatus
			return errors.As(err, &status) && status.Status().Code == 507
		},
	} {
		heal := p.Answer(code, Match{Verb: "get", Resource: "canaries"})
		response, err := c.get(t, canary)
		if err != nil {
			t.Fatal(err)
		}
		status := &metav1.Status{}
		if err := json.NewDecoder(response.Body).Decode(status); err != nil {
			t.Fatal(err)
		}
		if err := apierrors.FromObject(status); response.StatusCode != code || !is(err) {
			t.Errorf("%d: %d, %v", code, response.StatusCode, err)
		}
		if after := response.Header.Get("Retry-After"); (after == "1") != (code == 429) {
			t.Errorf("%d: Retry-After is %q", code, after)
		}
		c.mustGet(t, "/api/v1/namespaces/team")
		if got := <-b.arrived; got != "/api/v1/namespaces/team" {
			t.Errorf("%d: %s was forwarded", code, got)
		}
		heal()
	}
	c.mustGet(t, canary)
}

func TestShare(t *testing.T) {
	b := newBackend(t)
	p := through(t, b)
	c := newClient(t, p)
	p.Answer(500, Match{Path: "/some", Share: 0.3})
	refused := 0
	for range 40 {
		if got, err := c.text(t, "/some"); err != nil {
			t.Fatal(err)
		} else if got != "/some" {
			refused++
		}
	}
	if refused < 11 || refused > 12 {
		t.Errorf("%d of 40 were refused", refused)
	}
}
