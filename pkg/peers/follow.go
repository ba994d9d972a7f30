package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/klog/v2"

	"fanout/pkg/shard"
)

// Hearer takes in one line of what a replica tells.
type Hearer func(teller string, line json.RawMessage) error

// Follow asks all other replicas, and has hear take in what they tell, until ctx ends. Contacts returns those that there are, and changed a
// channel that is closed when there may be others, or they may have other things to tell: then all are asked again.
func Follow(ctx context.Context, identity *Identity, contacts func() []shard.Contact, changed func() <-chan struct{}, hear Hearer) {
	for ctx.Err() == nil {
		others := changed()
		following, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		for _, contact := range contacts() {
			running.Go(func() { follow(following, identity, contact, hear) })
		}
		select {
		case <-others:
		case <-ctx.Done():
		}
		stop()
		running.Wait()
	}
}

// worthTelling is after how many failures in a row, some seconds, they are logged: one that begins is not known to the others at once.
const worthTelling = 5

// follow asks one replica, again whenever that ends.
func follow(ctx context.Context, identity *Identity, contact shard.Contact, hear Hearer) {
	ctx = klog.NewContext(ctx, klog.LoggerWithValues(klog.FromContext(ctx), "replica", contact.Replica, "address", contact.Address))
	transport := newTransport(identity, contact)
	defer transport.CloseIdleConnections()
	retry := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Steps: 8, Cap: 15 * time.Second}
	failures := 0
	for pause := retry; ctx.Err() == nil; {
		heard, err := listenTo(ctx, transport, contact, hear)
		if failures++; heard {
			pause, failures = retry, 0
		}
		if ctx.Err() == nil && failures == worthTelling {
			klog.FromContext(ctx).Error(err, "Hear what another replica's members report; what they reported last counts until then. Do the pods of fanout reach each other at --shard-port?")
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause.Step()):
		}
	}
}

func newTransport(identity *Identity, contact shard.Contact) *http.Transport {
	return &http.Transport{
		TLSClientConfig:       identity.config(func(key string) bool { return key == contact.Key }),
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// listenTo asks once, and returns when that has ended, and whether anything was heard.
func listenTo(ctx context.Context, transport http.RoundTripper, contact shard.Contact, hear Hearer) (heard bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+contact.Address+path, nil)
	if err != nil {
		return false, err
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("it answers %s", answer.Status)
	}
	for lines := json.NewDecoder(answer.Body); ; heard = true {
		var line json.RawMessage
		switch err := lines.Decode(&line); {
		case err == io.EOF:
			return heard, fmt.Errorf("it has ended")
		case err != nil:
			return heard, err
		}
		if err := hear(contact.Replica, line); err != nil {
			return heard, err
		}
	}
}
