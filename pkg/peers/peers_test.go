package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fanout/pkg/shard"
)

// group are replicas as their Leases name them.
type group struct {
	mu       sync.Mutex
	contacts []shard.Contact
	changed  chan struct{}
}

func newGroup() *group { return &group{changed: make(chan struct{})} }

func (g *group) list() []shard.Contact {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.contacts
}

func (g *group) next() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}

func (g *group) set(contacts ...shard.Contact) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.contacts = contacts
	close(g.changed)
	g.changed = make(chan struct{})
}

// line is what replicas of these tests tell.
type line struct{ From, To string }

// serve has a replica of that name tell each asker one line. It returns where it is reached.
func serve(t *testing.T, name string, askers *group) shard.Contact {
	t.Helper()
	identity, listener := makeIdentity(t), listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- Serve(ctx, listener, identity, askers.list, func(ctx context.Context, asker string, send func(any) error) error {
			if err := send(line{name, asker}); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " answers ", r.URL) }))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return shard.Contact{Replica: name, Address: listener.Addr().String(), Key: identity.Key}
}

// followAll has a replica follow those of the group, and returns what it hears.
func followAll(t *testing.T, identity *Identity, tellers *group) <-chan string {
	t.Helper()
	heard := make(chan string)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		Follow(ctx, identity, tellers.list, tellers.next, func(teller string, text json.RawMessage) error {
			var said line
			if err := json.Unmarshal(text, &said); err != nil {
				return err
			}
			select {
			case heard <- teller + ": " + said.From + " to " + said.To:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return heard
}

func TestReplicasHearEachOther(t *testing.T) {
	askers, tellers := newGroup(), newGroup()
	me := makeIdentity(t)
	askers.set(shard.Contact{Replica: "me", Key: me.Key})
	a, b := serve(t, "a", askers), serve(t, "b", askers)
	tellers.set(a)
	heard := followAll(t, me, tellers)
	expect(t, heard, "a: a to me")
	tellers.set(b)
	expect(t, heard, "b: b to me")
	tellers.set(b) // nothing but the share has changed, and all is asked for again
	expect(t, heard, "b: b to me")
}

// One that comes later is reached as soon as it is there.
func TestReplicaThatDoesNotAnswerYet(t *testing.T) {
	askers, tellers := newGroup(), newGroup()
	me := makeIdentity(t)
	a := serve(t, "a", askers) // which does not know me
	tellers.set(a)
	heard := followAll(t, me, tellers)
	askers.set(shard.Contact{Replica: "me", Key: me.Key})
	expect(t, heard, "a: a to me")
}

// Whom no Lease names is told nothing, and whoever has another key than the Lease says is not believed.
func TestStrangersAreNeitherToldNorBelieved(t *testing.T) {
	askers, me, stranger := newGroup(), makeIdentity(t), makeIdentity(t)
	askers.set(shard.Contact{Replica: "me", Key: me.Key}, shard.Contact{Replica: "one without a key"})
	a := serve(t, "a", askers)

	told := func(identity *Identity, contact shard.Contact) bool {
		transport := newTransport(identity, contact)
		defer transport.CloseIdleConnections()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		heard, _ := listenTo(ctx, transport, contact, func(string, json.RawMessage) error {
			stop()
			return nil
		})
		return heard
	}
	if !told(me, a) {
		t.Error("who is known is told nothing")
	}
	if told(stranger, a) {
		t.Error("a stranger is told something")
	}
	if told(me, shard.Contact{Replica: "a", Address: a.Address, Key: stranger.Key}) {
		t.Error("one with another key is believed")
	}
	answers := func(identity *Identity, contact shard.Contact) string {
		client := Client(identity, contact, 30*time.Second)
		defer client.CloseIdleConnections()
		response, err := client.Get("https://" + contact.Address + "/api?b=c")
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return string(body)
	}
	if got := answers(me, a); got != "a answers /api?b=c" {
		t.Errorf("who is known and asks is answered %q", got)
	}
	if got := answers(stranger, a); strings.Contains(got, "a answers") {
		t.Error("a stranger who asks is answered")
	}
	if got := answers(me, shard.Contact{Replica: "a", Address: a.Address, Key: stranger.Key}); strings.Contains(got, "a answers") {
		t.Error("one with another key that is asked is believed")
	}
	for _, path := range []string{"/v1/lines", "/api"} {
		if response, err := http.Get("http://" + a.Address + path); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				t.Error("it answers without TLS")
			}
		}
	}
}

func makeIdentity(t *testing.T) *Identity {
	t.Helper()
	identity, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func expect(t *testing.T, heard <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-heard:
			if got == want {
				return
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("not heard: %s", want)
		}
	}
}
