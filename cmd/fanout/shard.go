package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"fanout/pkg/api"
	"fanout/pkg/api/replicas"
	"fanout/pkg/fanout"
	"fanout/pkg/peers"
	"fanout/pkg/shard"
	"fanout/pkg/shard/leases"
)

// leaseOptions are for what is to be said and read by Leases: of replicas, or of the leader.
func (f *flags) leaseOptions() leases.Options {
	e := f.leaderElection
	return leases.Options{
		Namespace: e.ResourceNamespace, Name: e.ResourceName,
		Timing:      shard.Timing{Lease: e.LeaseDuration.Duration, Renew: e.RenewDeadline.Duration},
		RetryPeriod: e.RetryPeriod.Duration,
		Clock:       clock.RealClock{},
	}
}

// sharer is this process as one of several that share the members.
type sharer struct {
	*leases.Replica
	identity *peers.Identity
	listener net.Listener
}

// newReplica returns a replica that listens for the others.
func newReplica(hub kubernetes.Interface, config *rest.Config, f *flags, metrics *leases.Metrics) (*sharer, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("share members: %w", err)
	}
	identity, err := peers.NewIdentity()
	if err != nil {
		return nil, err
	}
	address, err := addressTowards(config)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(f.shardPort)))
	if err != nil {
		return nil, fmt.Errorf("listen for other replicas on --shard-port: %w", err)
	}
	id := string(uuid.NewUUID())
	options := f.leaseOptions()
	options.Identity = host + "_" + id
	options.Suffix, _, _ = strings.Cut(id, "-")
	options.Contact = shard.Contact{Address: listener.Addr().String(), Key: identity.Key}
	options.Metrics = metrics
	return &sharer{leases.New(hub, options), identity, listener}, nil
}

// addressTowards returns the address of this process's own that the hub sees: in a pod the pod's, at which other pods reach it too.
func addressTowards(config *rest.Config) (string, error) {
	server, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return "", fmt.Errorf("find the hub's address: %w", err)
	}
	port := server.Port()
	if port == "" {
		port = "443"
	}
	conn, err := net.Dial("udp", net.JoinHostPort(server.Hostname(), port)) // sends nothing
	if err != nil {
		return "", fmt.Errorf("find the address at which other replicas reach this one: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

// exchange has controller tell the other replicas what it knows, and hear what they do, until ctx ends.
func (r *sharer) exchange(ctx context.Context, controller *fanout.Controller) {
	var running sync.WaitGroup
	running.Go(func() {
		if err := peers.Serve(ctx, r.listener, r.identity, r.Contacts, controller.Tell, api.NewHandler(controller)); err != nil {
			klog.FromContext(ctx).Error(err, "Tell other replicas what members report")
		}
	})
	running.Go(func() { peers.Follow(ctx, r.identity, r.Contacts, r.Share().Changed, controller.Hear) })
	running.Wait()
}

// askTime is how long another replica is waited for that is asked what it knows.
const askTime = 10 * time.Second

// together returns what this replica's controller and all others know.
func (r *sharer) together(controller *fanout.Controller) *replicas.Source {
	return replicas.New(replicas.Options{
		Own: controller, Name: r.Name(), Others: r.Contacts,
		Client: func(c shard.Contact) *http.Client { return peers.Client(r.identity, c, askTime) },
	})
}

// shareWork runs work, which takes what the replica's share is, until ctx ends. The replica's Lease is renewed until the work has
// stopped, and released then.
func (r *sharer) shareWork(ctx context.Context, work func(context.Context)) {
	klog.FromContext(ctx).Info("Sharing the members with other replicas", "lease", r.Name(), "address", r.listener.Addr().String())
	sharing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { r.Run(sharing) })
	work(ctx)
	stop()
	running.Wait()
}

// afterReplicas is work that waits until no replica shares the members any more.
func afterReplicas(hub kubernetes.Interface, f *flags, work func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		if f.leaderElection.LeaderElect && leases.AwaitNone(ctx, hub, f.leaseOptions()) != nil {
			return // as it was asked to
		}
		work(ctx)
	}
}
