package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// objects are what stands in a cluster, by namespace/name.
type objects map[string]*unstructured.Unstructured

func list(ctx context.Context, resource dynamic.ResourceInterface) (objects, string, error) {
	found, err := resource.List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, "", err
	}
	held := objects{}
	for i := range found.Items {
		held[keyOf(&found.Items[i])] = &found.Items[i]
	}
	return held, found.GetResourceVersion(), nil
}

func keyOf(object *unstructured.Unstructured) string {
	return object.GetNamespace() + "/" + object.GetName()
}

// mirror is what a cluster holds of one resource, as a watch tells it at the moment that it happens.
type mirror struct {
	resource dynamic.ResourceInterface

	mu   sync.Mutex
	held objects
	last time.Time // when the last change came in
	err  error     // why the watch has ended
}

// follow starts the watch. After each change it pokes changed, until ctx ends.
func (m *mirror) follow(ctx context.Context, changed chan<- struct{}) error {
	held, version, err := list(ctx, m.resource)
	if err != nil {
		return err
	}
	changes, err := m.resource.Watch(ctx, metav1.ListOptions{ResourceVersion: version})
	if err != nil {
		return err
	}
	m.held = held
	go func() {
		defer changes.Stop()
		for change := range changes.ResultChan() {
			m.take(change)
			poke(changed)
		}
		m.end(errors.New("the watch ended"))
		poke(changed)
	}()
	return nil
}

func (m *mirror) take(change watch.Event) {
	now := time.Now()
	object, ok := change.Object.(*unstructured.Unstructured)
	if !ok || change.Type == watch.Error {
		m.end(fmt.Errorf("the watch brought %s: %v", change.Type, change.Object))
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = now
	if change.Type == watch.Deleted {
		delete(m.held, keyOf(object))
	} else {
		m.held[keyOf(object)] = object
	}
}

func (m *mirror) end(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
}

// now returns what is held at present, and when that last changed.
func (m *mirror) now() (objects, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.held), m.last, m.err
}

func poke(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default: // whoever waits will look anyway
	}
}
