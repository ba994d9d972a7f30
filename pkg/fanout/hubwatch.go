package fanout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"fanout/pkg/fanout/answers"
	"fanout/pkg/fanout/derive"
)

// hubCanaries lists and watches the Canaries of the hub.
func hubCanaries(client rest.Interface, timeout time.Duration) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return dynamic.New(client).Resource(derive.Canaries).List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			body, err := client.Get().AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version, derive.Canaries.Resource).
				SpecificallyVersionedParams(&options, metav1.ParameterCodec, schema.GroupVersion{Version: "v1"}).Stream(ctx)
			if utilnet.IsProbableEOF(err) || utilnet.IsTimeout(err) {
				return watch.NewEmptyWatch(), nil // the reflector goes on where it was, and lists nothing anew
			}
			if err != nil {
				return nil, err
			}
			return watch.NewStreamWatcher(&hubWatch{body, answers.NewEvents(body, hubWatchBuffer)},
				apierrors.NewClientErrorReporter(http.StatusInternalServerError, http.MethodGet, "watch of the hub's Canaries")), nil
		},
	}
}

// hubWatchBuffer is large: there is one, and parents with many agents are long.
const hubWatchBuffer = 64 << 10

// hubWatch decodes what a watch of the hub brings, once: whatever fanout writes to a parent's status comes back by it.
type hubWatch struct {
	io.Closer
	events *answers.Events
}

// Close ends the watch.
func (w *hubWatch) Close() { _ = w.Closer.Close() }

// Decode returns the next event.
func (w *hubWatch) Decode() (watch.EventType, runtime.Object, error) {
	kind, text, err := w.events.Next()
	if err != nil {
		return "", nil, err
	}
	switch kind {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		canary := &unstructured.Unstructured{}
		if err := canary.UnmarshalJSON([]byte(text)); err != nil {
			return "", nil, errors.New("the watch brought what is no Canary") // err would repeat all of it
		}
		return kind, canary, nil
	case watch.Error:
		status := &metav1.Status{}
		if err := json.Unmarshal([]byte(text), status); err != nil {
			return "", nil, fmt.Errorf("the watch ended with an error that is no Status: %w", err)
		}
		return kind, status, nil
	default:
		return "", nil, fmt.Errorf("the watch brought an event of type %.20q", string(kind))
	}
}
