package clusters

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// clusterObjects are Cluster API's Cluster objects beside the Secrets, of which the labels are read where fanout may. What is not
// known is never taken for absent: that there is no Cluster is believed on an answer to just that question, so one that is not in a
// list any more, or whose deletion the watch tells, is asked for once more.
type clusterObjects struct {
	*Registry
	store    cache.Store // of *metav1.PartialObjectMetadata, with the labels that count
	informer cache.Controller

	mu    sync.Mutex
	fault error // why they are not listed yet
}

var (
	// errUnread is an answer: the labels can't be had. Other errors leave it open.
	errUnread = errors.New("the labels of Cluster API's Clusters do not count")
	// errUnlisted says that nobody has asked yet.
	errUnlisted = errors.New("there is no list of Cluster API's Clusters yet")
)

const (
	clusterAPIGroup = "cluster.x-k8s.io"
	clusterCRD      = "clusters." + clusterAPIGroup
)

func newClusterObjects(r *Registry) *clusterObjects {
	c := &clusterObjects{Registry: r, fault: errUnlisted}
	c.store, c.informer = cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: NoticeRestore(&cache.ListWatch{ListWithContextFunc: c.list, WatchFuncWithContext: c.watch}),
		ObjectType:    &metav1.PartialObjectMetadata{},
		Transform:     trimCluster,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: c.pokeCluster,
			UpdateFunc: func(old, obj any) {
				if !maps.Equal(old.(*metav1.PartialObjectMetadata).Labels, obj.(*metav1.PartialObjectMetadata).Labels) {
					c.pokeCluster(obj)
				}
			},
			DeleteFunc: c.pokeCluster,
		},
	})
	return c
}

// trimCluster is the informer's transform: nothing is kept of a Cluster but the labels that count.
func trimCluster(obj any) (any, error) {
	cluster, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return obj, nil
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: cluster.Namespace, Name: cluster.Name, UID: cluster.UID, ResourceVersion: cluster.ResourceVersion,
		CreationTimestamp: cluster.CreationTimestamp, Labels: withoutMarks(cluster.Labels),
	}}, nil
}

// run follows the Clusters until ctx ends. Where they can't be had, it looks again and again whether they can by now.
func (c *clusterObjects) run(ctx context.Context) {
	for {
		err := c.begin(ctx)
		if err == nil {
			break
		}
		c.failed(ctx, err)
		select {
		case <-c.options.Clock.After(c.options.ProbePeriod):
		case <-ctx.Done():
			return
		}
	}
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { c.informer.RunWithContext(ctx) })
	select {
	case <-c.informer.HasSyncedChecker().Done():
		klog.FromContext(ctx).Info("Read the labels of Cluster API's Clusters", "count", len(c.store.ListKeys()))
		c.pokeClusters()
	case <-ctx.Done():
	}
}

// begin returns nil when the Clusters can be listed, and errUnread when they can't.
func (c *clusterObjects) begin(ctx context.Context) error {
	if _, err := c.crd(ctx); err != nil {
		return err
	}
	_, err := c.list(ctx, metav1.ListOptions{Limit: 1})
	return err
}

// failed notes why the Clusters are not listed, and says so when it is news.
func (c *clusterObjects) failed(ctx context.Context, err error) {
	c.mu.Lock()
	last := c.fault
	c.fault = err
	c.mu.Unlock()
	if ctx.Err() != nil || err.Error() == last.Error() {
		return
	}
	klog.FromContext(ctx).Info("The labels of Cluster API's Clusters are not read", "err", err)
	if errors.Is(err, errUnread) {
		c.pokeClusters()
	}
}

// get returns the Cluster of that name, without anything where there is none. One that was known last is not believed to have gone
// where all went with their CRD.
func (c *clusterObjects) get(ctx context.Context, name string, last *metav1.PartialObjectMetadata) (*metav1.PartialObjectMetadata, error) {
	if item, found, _ := c.store.GetByKey(cache.NewObjectName(c.options.Namespace, name).String()); found {
		return item.(*metav1.PartialObjectMetadata), nil
	}
	if !c.informer.HasSynced() {
		c.mu.Lock()
		defer c.mu.Unlock()
		return nil, c.fault
	}
	cluster, err := c.ask(ctx, name)
	if err == nil {
		return cluster, nil
	}
	crd, crdErr := c.crd(ctx) // after it was asked for the Cluster: the CRD is marked before the first of them goes with it
	switch {
	case crdErr != nil:
		return nil, crdErr
	case !isAbsent(err):
		return nil, unread(err, "get", clusterCRD)
	case crd.DeletionTimestamp != nil:
		return nil, fmt.Errorf("%w: the CRD %s is being deleted, and all of them with it", errUnread, clusterCRD)
	case last != nil && last.Name != "" && last.CreationTimestamp.Before(&crd.CreationTimestamp):
		return nil, fmt.Errorf("%w: the CRD %s was installed anew, and they may still be on their way", errUnread, clusterCRD)
	}
	return &metav1.PartialObjectMetadata{}, nil
}

// ask gets one Cluster.
func (c *clusterObjects) ask(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	clusters, err := c.resource(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	cluster, err := clusters.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	trimmed, err := trimCluster(cluster)
	return trimmed.(*metav1.PartialObjectMetadata), err
}

// isAbsent tells that there is no such object from that the server does not know the resource, as for a moment after it started.
func isAbsent(err error) bool {
	return apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// crd returns the CRD of the Clusters.
func (c *clusterObjects) crd(ctx context.Context) (*metav1.PartialObjectMetadata, error) {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	crd, err := c.options.Metadata.Resource(crds).Get(ctx, clusterCRD, metav1.GetOptions{})
	if isAbsent(err) {
		return nil, fmt.Errorf("%w: the hub has no CRD %s", errUnread, clusterCRD)
	}
	return crd, unread(err, "get", "the CRD "+clusterCRD)
}

func (c *clusterObjects) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	clusters, err := c.resource(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	list, err := clusters.List(ctx, options)
	return list, unread(err, "list", clusterCRD)
}

func (c *clusterObjects) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	clusters, err := c.resource(ctx)
	if err != nil {
		return nil, err
	}
	return clusters.Watch(ctx, options)
}

// resource is that of the Clusters, in the version that the hub prefers now.
func (c *clusterObjects) resource(ctx context.Context) (metadata.ResourceInterface, error) {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	var group metav1.APIGroup
	if err := c.hub.Discovery().RESTClient().Get().AbsPath("/apis/" + clusterAPIGroup).Do(ctx).Into(&group); err != nil {
		return nil, fmt.Errorf("find the version of %s: %v", clusterCRD, err) // a 404 says nothing of one Cluster
	}
	version := schema.GroupVersionResource{Group: clusterAPIGroup, Version: group.PreferredVersion.Version, Resource: "clusters"}
	return c.options.Metadata.Resource(version).Namespace(c.options.Namespace), nil
}

// unread makes errUnread of the error that a right is missing, and leaves others as they are.
func unread(err error, verb, what string) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("%w: fanout may not %s %s; grant it what docs/manifests/hub-capi.yaml has", errUnread, verb, what)
	}
	return err
}

// pokeCluster has the keeper of a Cluster's Secret look at its labels.
func (c *clusterObjects) pokeCluster(obj any) {
	key, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return // not an object: the informer never does that
	}
	c.Registry.mu.Lock()
	defer c.Registry.mu.Unlock()
	if k := c.keepers[key.Name+clusterAPISuffix]; k != nil {
		k.poke()
	}
}

// pokeClusters does so for all.
func (c *clusterObjects) pokeClusters() {
	c.Registry.mu.Lock()
	defer c.Registry.mu.Unlock()
	for name, k := range c.keepers {
		if strings.HasSuffix(name, clusterAPISuffix) {
			k.poke()
		}
	}
}
