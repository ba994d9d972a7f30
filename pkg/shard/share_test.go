package shard_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"fanout/pkg/shard"
)

func only(keys ...string) func(string) bool {
	return func(key string) bool {
		for _, each := range keys {
			if each == key {
				return true
			}
		}
		return false
	}
}

func always() error { return nil }

func TestSetReturnsWhenWhatIsLostHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shard.NewShare(always)
		if _, _, ok := s.Begin(t.Context(), "a"); ok || s.Mine("a") {
			t.Fatal("a new share has something")
		}
		changed := s.Changed()
		s.Set(only("a", "b"))
		<-changed
		a, endA, okA := s.Begin(t.Context(), "a")
		b, endB, okB := s.Begin(t.Context(), "b")
		if !okA || !okB {
			t.Fatal("it has not what it was given")
		}
		var returned atomic.Bool
		go func() {
			s.Set(only("b"))
			returned.Store(true)
		}()
		synctest.Wait()
		if !errors.Is(context.Cause(a), shard.ErrLost) || b.Err() != nil || returned.Load() {
			t.Errorf("a: %v, b: %v, Set returned: %t", context.Cause(a), b.Err(), returned.Load())
		}
		if _, _, ok := s.Begin(t.Context(), "a"); ok {
			t.Error("what is lost can be begun")
		}
		endA()
		synctest.Wait()
		if !returned.Load() {
			t.Error("Set waits for what it need not")
		}
		endB()
	})
}

func TestWhileFollowsTheShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shard.NewShare(always)
		ctx, stop := context.WithCancel(t.Context())
		var works atomic.Bool
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.While(ctx, "a", func(ctx context.Context) {
				works.Store(true)
				<-ctx.Done()
				works.Store(false)
			})
		}()
		for _, has := range []bool{false, true, false, true} {
			if has {
				s.Set(only("a"))
			} else {
				s.Set(only())
			}
			synctest.Wait()
			if works.Load() != has {
				t.Errorf("it works: %t, it has the key: %t", works.Load(), has)
			}
		}
		stop()
		<-ended
	})
}

func TestWithoutAShareAllIsMine(t *testing.T) {
	var s *shard.Share
	if _, end, ok := s.Begin(t.Context(), "a"); !ok || !s.Mine("a") || s.Changed() != nil {
		t.Error("it is not")
	} else {
		end()
	}
	if s.Fence(http.DefaultTransport) != http.DefaultTransport {
		t.Error("it fences")
	}
}

// What a replica sends is stopped where it has lapsed: all that goes to members, and what is written to the hub.
func TestTheFenceStopsWhatIsSent(t *testing.T) {
	var lapsed atomic.Bool
	s := shard.NewShare(func() error {
		if lapsed.Load() {
			return errors.New("lapsed")
		}
		return nil
	})
	var came atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came.Add(1)
	}))
	defer server.Close()
	send := func(transport http.RoundTripper, method string) error {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	members := &http.Transport{DialContext: s.FenceDial((&net.Dialer{}).DialContext)}
	hub := s.Fence(&http.Transport{})
	for _, to := range []http.RoundTripper{members, hub} {
		if err := send(to, http.MethodPatch); err != nil {
			t.Fatal(err)
		}
	}
	lapsed.Store(true)
	came.Store(0)
	if send(members, http.MethodPatch) == nil || send(members, http.MethodGet) == nil || send(hub, http.MethodPatch) == nil || came.Load() != 0 {
		t.Errorf("%d requests came", came.Load())
	}
	if err := send(hub, http.MethodGet); err != nil {
		t.Errorf("the hub can't be read: %v", err)
	}
}
