package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/kubernetes/fake"
)

func TestReleaseWaitsForAControllerToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, config := fake.NewClientset(), electionConfig()
		leader := start(t, hub, config)
		var said strings.Builder
		waits := func(patience time.Duration) error {
			said.Reset()
			return waitUntilNobodyLeads(context.Background(), hub, config.ResourceNamespace, config.ResourceName, patience, &said)
		}
		begin := time.Now()
		if err := waits(0); err == nil || !strings.Contains(err.Error(), "a controller runs: ") || time.Since(begin) > 0 || said.Len() > 0 {
			t.Errorf("without waiting: %v after %s, %q", err, time.Since(begin), said.String())
		}
		if err := waits(30 * time.Second); err == nil || time.Since(begin) != 30*time.Second || strings.Count(said.String(), "Waiting for ") != 1 {
			t.Errorf("beside one that does not stop: %v after %s, %q", err, time.Since(begin), said.String())
		}
		close(leader.stops)
		time.AfterFunc(10*time.Second, leader.stop)
		begin = time.Now()
		if err := waits(30 * time.Second); err != nil || time.Since(begin) > 12*time.Second {
			t.Errorf("beside one that stops after 10s: %v after %s", err, time.Since(begin))
		}
		if err := <-leader.stopped; err != nil {
			t.Error(err)
		}
	})
}
