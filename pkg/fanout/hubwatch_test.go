package fanout

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"pgregory.net/rapid"

	"fanout/pkg/fanout/answers"
	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/fanouttest"
)

// managedBy is how the hub says who manages a parent: a person the spec, canary-checker and fanout the status.
func managedBy(c *unstructured.Unstructured) {
	entry := func(manager, operation, subresource string, fields map[string]any) any {
		one := map[string]any{"manager": manager, "operation": operation, "apiVersion": "canaries.flanksource.com/v1", "time": "2026-03-04T12:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}
		if subresource != "" {
			one["subresource"] = subresource
		}
		return one
	}
	ofStatus := func() map[string]any {
		return map[string]any{"f:status": map[string]any{"f:checkStatus": map[string]any{"f:eu-west-prod": map[string]any{}}}}
	}
	_ = unstructured.SetNestedSlice(c.Object, []any{
		entry("kubectl", "Apply", "", map[string]any{"f:spec": map[string]any{"f:schedule": map[string]any{}}}),
		entry(derive.Checker, "Update", "", map[string]any{"f:spec": map[string]any{"f:http": map[string]any{}}}),
		entry(derive.Checker, "Update", "status", ofStatus()),
		entry(derive.FieldManager, "Apply", "status", ofStatus()),
	}, "metadata", "managedFields")
}

func TestAParentIsDecodedAsClientGoDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := fanouttest.DrawParent(t)
		sent.Object["status"] = map[string]any{"status": "Failed", "checkStatus": map[string]any{"eu-west-prod": map[string]any{"message": "Failed: <&> é"}}, "runs": 1.5}
		managedBy(sent)
		want := fanouttest.OverTheWire(t, sent)
		text, err := sent.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeParent(string(text))
		if err != nil {
			t.Fatal(err)
		}
		mustBeManagedAlike(t, got, want)
		got.SetManagedFields(nil)
		want.SetManagedFields(nil)
		mustEqual(t, "the rest", got.Object, want.Object)
	})
}

func mustBeManagedAlike(t rapid.TB, got, want *unstructured.Unstructured) {
	t.Helper()
	mustEqual(t, "who manages the spec", derive.ManagersOf(got), derive.ManagersOf(want))
	if len(derive.ManagersOf(got)) != 2 || !derive.ManagesStatus(got) {
		t.Errorf("managed by %+v; the status by fanout: %t", derive.ManagersOf(got), derive.ManagesStatus(got))
	}
	for _, entry := range got.GetManagedFields() {
		if (entry.Subresource == "status") != (entry.FieldsV1 == nil) {
			t.Errorf("of %s, who manages %q, is kept: %v", entry.Manager, entry.Subresource, entry.FieldsV1)
		}
	}
}

func TestTheHubsWatch(t *testing.T) {
	line := func(kind string, object any) string {
		text, err := json.Marshal(map[string]any{"type": kind, "object": object})
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	expired := metav1.Status{Status: metav1.StatusFailure, Code: 410, Reason: metav1.StatusReasonExpired}
	parent := aParent(managedBy)
	long := aParent(withAnnotation("long", strings.Repeat("x", 2*hubWatchBuffer)))
	bookmark := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"resourceVersion": "9"}}}
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
		{"half an object", `{"type":"ADDED","object":{"metadata":{"name":` + "\n", nil, "no JSON"},
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

// Decoding a parent whose status lists 700 agents, as many as there is room for, and decoding all of it.
func BenchmarkDecodeParent(b *testing.B) {
	agents, fields := map[string]any{}, map[string]any{}
	for i := range 700 {
		entry := map[string]any{
			"lastCheck": "2026-03-04T12:00:00Z", "lastTransitionedTime": "2026-03-04T12:00:00Z", "latency1h": "3ms", "uptime1h": "33/66 (50.0%)",
			"message": "Failed", "errorMessage": `Get "http://127.0.0.1:1": dial tcp 127.0.0.1:1: connect: connection refused`,
		}
		managed := map[string]any{}
		for field := range entry {
			managed["f:"+field] = map[string]any{}
		}
		agents[fmt.Sprintf("member-%d", i)], fields[fmt.Sprintf("f:member-%d", i)] = entry, managed
	}
	parent := aParent()
	parent.Object["status"] = map[string]any{"checkStatus": agents}
	if err := unstructured.SetNestedSlice(parent.Object, []any{map[string]any{
		"manager": derive.FieldManager, "operation": "Apply", "subresource": "status", "fieldsV1": map[string]any{"f:status": map[string]any{"f:checkStatus": fields}},
	}}, "metadata", "managedFields"); err != nil {
		b.Fatal(err)
	}
	data, err := parent.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	text := string(data)
	for name, decode := range map[string]func() error{
		"ours": func() error { _, err := decodeParent(text); return err },
		"all":  func() error { return (&unstructured.Unstructured{}).UnmarshalJSON(data) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := decode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
