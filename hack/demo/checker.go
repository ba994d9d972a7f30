package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"fanout/hack/canarychecker/standin"
)

// checkers are what stands in for canary-checker in the hub and the members, and the services that their checks look at.
type checkers struct {
	services map[string]*service // by cluster
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// startServices starts what the check of the story looks at in each cluster.
func (s *stage) startServices(context.Context) error {
	s.services = map[string]*service{}
	for _, c := range s.all() {
		service, err := newService(latencies[c.name])
		if err != nil {
			return err
		}
		s.services[c.name] = service
		s.running.Go(service.serve)
	}
	return nil
}

func (c *checkers) service(cluster string) *service { return c.services[cluster] }

// minimumInterval lets what is due each second be run each second.
const minimumInterval = 500 * time.Millisecond

// startCheckers has a stand-in for canary-checker at work in every cluster, until close.
func (s *stage) startCheckers(context.Context) error {
	ctx, stop := context.WithCancel(klog.NewContext(context.Background(), klog.Logger{}))
	s.checkers.stop = stop
	for _, c := range s.all() {
		config := s.planes.Cluster(c.name).Config
		options := standin.Options{MinimumInterval: minimumInterval, Dial: s.service(c.name).dial}
		s.checkers.running.Go(func() { _ = standin.Run(ctx, config, options) }) // it can only fail for a bad config
	}
	return nil
}

func (c *checkers) close() {
	for _, service := range c.services {
		service.close()
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
