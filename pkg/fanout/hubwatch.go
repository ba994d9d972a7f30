package fanout

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"
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
		canary, err := decodeParent(text)
		return kind, canary, err
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

// decodeParent decodes a Canary without the fields of those who manage its status: they take more room than the status, and nobody asks.
func decodeParent(text string) (*unstructured.Unstructured, error) {
	if !gjson.Valid(text) {
		return nil, fmt.Errorf("a Canary of the hub is no JSON")
	}
	canary := &unstructured.Unstructured{Object: map[string]any{}}
	err := decodeFields(canary.Object, text, func(name string, field gjson.Result) (any, error) {
		if name != "metadata" || !field.IsObject() {
			return decoded(field)
		}
		metadata := map[string]any{}
		return metadata, decodeFields(metadata, field.Raw, func(name string, field gjson.Result) (any, error) {
			if name != "managedFields" || !field.IsArray() {
				return decoded(field)
			}
			return decodeManagers(field)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("a Canary of the hub: %w", err)
	}
	return canary, nil
}

// decodeManagers decodes managedFields, but for the fields of those who manage the status.
func decodeManagers(entries gjson.Result) (any, error) {
	managers := []any{}
	for _, entry := range entries.Array() {
		manager := map[string]any{}
		ofStatus := entry.Get("subresource").Str == "status"
		err := decodeFields(manager, entry.Raw, func(name string, field gjson.Result) (any, error) {
			if ofStatus && name == "fieldsV1" {
				return nil, nil
			}
			return decoded(field)
		})
		if err != nil {
			return nil, err
		}
		managers = append(managers, manager)
	}
	return managers, nil
}

// decodeFields puts each field of an object into fields, as decode has it. Names hold on to nothing of the object's text.
func decodeFields(fields map[string]any, object string, decode func(name string, field gjson.Result) (any, error)) (err error) {
	gjson.Parse(object).ForEach(func(name, field gjson.Result) bool {
		fields[strings.Clone(name.Str)], err = decode(name.Str, field)
		return err == nil
	})
	return err
}

func decoded(field gjson.Result) (value any, err error) {
	return value, json.Unmarshal([]byte(field.Raw), &value)
}
