package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"

	"k8s.io/klog/v2"

	"fanout/hack/canarychecker/standin"
)

// checkers are what stands in for canary-checker in the hub and the members, and the service that their checks look at.
type checkers struct {
	url     string
	service *http.Server
	stop    context.CancelFunc
	running sync.WaitGroup
}

// startService starts what the check of the story looks at.
func (c *checkers) startService() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the checks: %w", err)
	}
	c.url = "http://" + listener.Addr().String() + "/health"
	c.service = &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	c.running.Go(func() { _ = c.service.Serve(listener) }) // until close
	return nil
}

// startCheckers has a stand-in for canary-checker at work in every cluster, until close.
func (s *stage) startCheckers(context.Context) error {
	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), klog.Logger{}))
	s.checkers.stop = stop
	for _, c := range s.all() {
		config := s.planes.Cluster(c.name).Config
		s.checkers.running.Go(func() { _ = standin.Run(ctx, config, standin.Options{}) }) // it can only fail for a bad config
	}
	return nil
}

func (c *checkers) close() {
	if c.service != nil {
		_ = c.service.Close()
	}
	if c.stop != nil {
		c.stop()
	}
	c.running.Wait()
}

// awaitBystander waits until canary-checker has taken the bystander in.
func (s *stage) awaitBystander(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	for {
		held, _, err := s.member(bystanderCluster).canaries.now()
		if err != nil {
			return err
		}
		s.bystander = held[checksNamespace+"/"+bystanderName]
		if s.bystander != nil && slices.Contains(s.bystander.GetFinalizers(), standin.Finalizer) {
			s.lastCanaries[bystanderCluster] = held
			return nil
		}
		select {
		case <-s.changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for canary-checker to take %s in: %w", bystanderName, ctx.Err())
		}
	}
}
