package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	componentbase "k8s.io/component-base/config"
	"k8s.io/klog/v2"
)

// errLostLease says that the lease could not be renewed in time, and that the work has stopped.
var errLostLease = errors.New("leader election: lost the lease")

// lead runs work while this process is the leader, until ctx ends. A lease that is lost, since the hub does not answer or
// another has taken it, stops the work and not the process, which stands for election again.
func lead(ctx context.Context, hub kubernetes.Interface, recorder record.EventRecorder, config componentbase.LeaderElectionConfiguration, health *health, work func(context.Context)) error {
	for {
		err := leadOnce(ctx, hub, recorder, config, health, work)
		if !errors.Is(err, errLostLease) || ctx.Err() != nil {
			return err
		}
		klog.FromContext(ctx).Info("Lost the lease; the work has stopped and waits to lead again", "lease", klog.KRef(config.ResourceNamespace, config.ResourceName))
	}
}

// leadOnce runs work for one term. The lease is given up after the work has stopped and not before: client-go's own
// ReleaseOnCancel would free it first, and two leaders would write.
func leadOnce(ctx context.Context, hub kubernetes.Interface, recorder record.EventRecorder, config componentbase.LeaderElectionConfiguration, health *health, work func(context.Context)) error {
	if !config.LeaderElect {
		work(ctx)
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	lock, err := resourcelock.New(config.ResourceLock, config.ResourceNamespace, config.ResourceName, hub.CoreV1(), hub.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID()), EventRecorder: recorder})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}

	electing, stopElecting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopElecting()
	started, stopped := make(chan struct{}), make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name:          config.ResourceName,
		Lock:          lock,
		LeaseDuration: config.LeaseDuration.Duration,
		RenewDeadline: config.RenewDeadline.Duration,
		RetryPeriod:   config.RetryPeriod.Duration,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				defer close(stopped)
				close(started)
				leading, cancel := context.WithCancel(leading)
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				work(leading)
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	health.leader.Store(elector)
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		elector.Run(electing)
	}()

	waitForWork := func() {
		select {
		case <-started:
			<-stopped
		default: // it never led
		}
	}
	select {
	case <-lost:
		waitForWork()
		return errLostLease
	case <-ctx.Done():
		waitForWork() // the lease is renewed for as long as that takes
		stopElecting()
		<-lost
		waitForWork()
		release(ctx, lock)
		return nil
	}
}

// release gives up the lease, so that the next leader need not wait for it to expire.
func release(ctx context.Context, lock resourcelock.Interface) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	held, _, err := lock.Get(ctx)
	if err == nil && held.HolderIdentity == lock.Identity() {
		now := metav1.Now()
		err = lock.Update(ctx, resourcelock.LeaderElectionRecord{
			LeaderTransitions: held.LeaderTransitions, LeaseDurationSeconds: 1, RenewTime: now, AcquireTime: now,
		})
	}
	if err != nil {
		klog.FromContext(ctx).Error(err, "Give up the lease; the next leader waits for it to expire")
	}
}
