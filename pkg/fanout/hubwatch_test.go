package fanout

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"fanout/pkg/clusters"
	"fanout/pkg/fanout/answers"
	"fanout/pkg/fanout/derive"
)

func TestTheHubsWatch(t *testing.T) {
	line := func(kind string, object any) string {
		text, err := json.Marshal(map[string]any{"type": kind, "object": object})
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	expired := metav1.Status{Status: metav1.StatusFailure, Code: 410, Reason: metav1.StatusReasonExpired}
	parent := aParent()
	long := aParent(withAnnotation("long", strings.Repeat("x", 2*hubWatchBuffer)))
	bookmark := &unstructured.Unstructured{Object: map[string]any{"kind": derive.Kind, "metadata": map[string]any{"resourceVersion": "9"}}}
	for _, row := range []struct {
		name, text string
		kinds      []watch.EventType
		err        string
	}{
		{"events", line("ADDED", parent.Object) + "\n" + line("MODIFIED", long.Object) + line("DELETED", parent.Object) + line("BOOKMARK", bookmark.Object),
			[]watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Bookmark}, "EOF"},
		{"the hub's reason to end it", line("ERROR", expired), []watch.EventType{watch.Error}, "EOF"},
		{"an error that says nothing", line("ERROR", "?"), nil, "no Status"},
		{"another type", line("RENAMED", parent.Object), nil, `type "RENAMED"`},
		{"no JSON", "hello\n", nil, `type ""`},
		{"half an object", `{"type":"ADDED","object":{"metadata":{"name":` + "\n", nil, "no Canary"},
		{"half a line", strings.TrimSpace(line("ADDED", parent.Object)), nil, io.ErrUnexpectedEOF.Error()},
	} {
		t.Run(row.name, func(t *testing.T) {
			events := &hubWatch{io.NopCloser(nil), answers.NewEvents(strings.NewReader(row.text), hubWatchBuffer)}
			var kinds []watch.EventType
			var seen []runtime.Object
			for {
				kind, object, err := events.Decode()
				if err != nil {
					if !strings.Contains(err.Error(), row.err) {
						t.Errorf("it ended with %v, want %s", err, row.err)
					}
					break
				}
				kinds, seen = append(kinds, kind), append(seen, object)
			}
			mustEqual(t, "events", kinds, row.kinds)
			for _, object := range seen {
				if status, ok := object.(*metav1.Status); ok {
					mustEqual(t, "the reason", *status, expired)
				} else if object.(*unstructured.Unstructured).GetResourceVersion() == "" {
					t.Errorf("%v has no version", object)
				}
			}
		})
	}
}

// An event of a parent whose status lists as many agents as there is room for, by fanout's watch of the hub and by client-go's.
func BenchmarkTheHubsWatch(b *testing.B) {
	agents := map[string]any{}
	for i := range 700 {
		agents[fmt.Sprintf("member-%d", i)] = map[string]any{
			"lastCheck": "2026-03-04T12:00:00Z", "lastTransitionedTime": "2026-03-04T12:00:00Z", "latency1h": "3ms", "uptime1h": "33/66 (50.0%)",
			"message": "Failed", "errorMessage": `Get "http://127.0.0.1:1": dial tcp 127.0.0.1:1: connect: connection refused`,
		}
	}
	parent := aParent()
	parent.Object["status"] = map[string]any{"checkStatus": agents}
	event, err := json.Marshal(map[string]any{"type": watch.Modified, "object": parent.Object})
	if err != nil {
		b.Fatal(err)
	}
	event = append(event, '\n')
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for err := error(nil); err == nil; {
			_, err = w.Write(event)
		}
	}))
	defer hub.Close()
	client, err := clusters.RESTFor(&rest.Config{Host: hub.URL, QPS: -1}, hub.Client())
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]func() (watch.Interface, error){
		"by=fanout": func() (watch.Interface, error) {
			return hubCanaries(client, time.Minute).WatchWithContext(b.Context(), metav1.ListOptions{})
		},
		"by=client-go": func() (watch.Interface, error) {
			return dynamic.New(client).Resource(derive.Canaries).Watch(b.Context(), metav1.ListOptions{})
		},
	} {
		b.Run(name, func(b *testing.B) {
			events, err := open()
			if err != nil {
				b.Fatal(err)
			}
			defer events.Stop()
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := <-events.ResultChan(); !ok {
					b.Fatal("the watch ended")
				}
			}
		})
	}
}
