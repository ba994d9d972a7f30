package statuses

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"fanout/pkg/api"
	"fanout/pkg/fanout/derive"
)

// Source is what the objects in the hub tell.
type Source struct {
	kube      kubernetes.Interface
	canaries  dynamic.NamespaceableResourceInterface
	namespace string // of the Secrets
	stopping  context.Context
	stop      context.CancelFunc

	mu       sync.Mutex
	hub      string
	lacks    map[string]bool
	watching chan struct{}
}

var _ api.Source = (*Source)(nil)

// Open returns a Source of what is in the hub, with the Secrets in namespace. It asks for nothing yet. Close it.
func Open(config *rest.Config, namespace string) (*Source, error) {
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	s := &Source{kube: kube, canaries: client.Resource(derive.Canaries), namespace: namespace, lacks: map[string]bool{}}
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s, nil
}

// Close ends what Changed began.
func (s *Source) Close() { s.stop() }

// Lacks says what of the answers so far is missing or may be, because the right to read it is.
func (s *Source) Lacks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lacks []string
	for lack := range s.lacks {
		lacks = append(lacks, lack)
	}
	slices.Sort(lacks)
	return lacks
}

func (s *Source) lack(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lacks[what] = true
}

// teller is this process: what it tells is as old as the statuses.
func (s *Source) teller(ctx context.Context) api.Teller {
	s.mu.Lock()
	known := s.hub
	s.mu.Unlock()
	if known == "" {
		if namespace, err := s.kube.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{}); err == nil {
			known = string(namespace.UID)
		}
		s.mu.Lock()
		s.hub = known
		s.mu.Unlock()
	}
	return api.Teller{Hub: known, Time: time.Now()}
}

// Canaries implements api.Source.
func (s *Source) Canaries(ctx context.Context, namespace string) (api.Canaries, error) {
	parents, err := s.parents(ctx, namespace)
	if err != nil {
		return api.Canaries{}, err
	}
	return s.without(ctx, parents), nil
}

// without are the parents without their copies.
func (s *Source) without(ctx context.Context, parents []unstructured.Unstructured) api.Canaries {
	answer := api.Canaries{Teller: s.teller(ctx)}
	for i := range parents {
		canary := read(&parents[i], nil)
		canary.Copies = nil
		answer.Items = append(answer.Items, canary)
	}
	return answer
}

// Canary implements api.Source.
func (s *Source) Canary(ctx context.Context, namespace, name string) (api.OneCanary, error) {
	object, err := s.canaries.Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return api.OneCanary{}, fmt.Errorf("%w: there is no Canary %s/%s in the hub", api.ErrNotFound, namespace, name)
	case err != nil:
		return api.OneCanary{}, err
	case !isParent(object):
		return api.OneCanary{}, fmt.Errorf("%w: the Canary %s/%s has no agentSelector", api.ErrNotFound, namespace, name)
	}
	return api.OneCanary{Teller: s.teller(ctx), Canary: read(object, s.labels(ctx))}, nil
}

// Find implements api.Source: only a controller can read in a member.
func (s *Source) Find(context.Context, string, string, string) (api.OneFound, error) {
	return api.OneFound{}, fmt.Errorf("%w: what stands in a member has to be asked of a controller", api.ErrNotKnown)
}

// Changed implements api.Source, by a watch on the hub's Canaries.
func (s *Source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watching == nil {
		s.watching = make(chan struct{})
		go s.watch(s.watching)
	}
	return s.watching
}

// watch closes changed at the first change, or when it can't watch, a while later.
func (s *Source) watch(changed chan struct{}) {
	defer func() {
		s.mu.Lock()
		s.watching = nil
		s.mu.Unlock()
		close(changed)
	}()
	list, err := s.canaries.List(s.stopping, metav1.ListOptions{Limit: 1})
	if err == nil {
		changes, failed := s.canaries.Watch(s.stopping, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err = failed; err == nil {
			defer changes.Stop()
			select {
			case <-changes.ResultChan():
			case <-s.stopping.Done():
			}
			return
		}
	}
	select {
	case <-time.After(pollPeriod):
	case <-s.stopping.Done():
	}
}

// pollPeriod is how often what can't be watched is read.
const pollPeriod = 5 * time.Second

// parents are the Canaries with an agentSelector, by namespace and name as the hub lists them.
func (s *Source) parents(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	const page = 500
	var parents []unstructured.Unstructured
	options := metav1.ListOptions{Limit: page}
	for {
		list, err := s.canaries.Namespace(namespace).List(ctx, options)
		if err != nil {
			return nil, explained(err, namespace)
		}
		for _, object := range list.Items {
			if isParent(&object) {
				parents = append(parents, object)
			}
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return parents, nil
		}
	}
}

// explained says how to go on with fewer rights.
func explained(err error, namespace string) error {
	if apierrors.IsForbidden(err) && namespace == "" {
		return fmt.Errorf("%w; name a namespace of which you may list them, with -n", err)
	}
	var status apierrors.APIStatus
	if apierrors.IsNotFound(err) && errors.As(err, &status) && !strings.Contains(err.Error(), "namespace") {
		return fmt.Errorf("the hub has no CRD of Canaries: %w", err)
	}
	return err
}
