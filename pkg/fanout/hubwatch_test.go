package fanout

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

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
