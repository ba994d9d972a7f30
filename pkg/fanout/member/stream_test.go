package member

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"

	"fanout/pkg/results"
)

// event is one line of a watch.
func event(t *testing.T, kind string, object *unstructured.Unstructured) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"type": kind, "object": object.Object})
	must(t, err)
	return string(text) + "\n"
}

func streamOf(from io.Reader, v *view, hub Hub) *stream {
	return (&Member{view: v, hub: hub, options: Options{Results: &results.Reader{}, Clock: clock.RealClock{}}}).newStream(from)
}

func streamed(v *view, text string) *stream {
	return streamOf(strings.NewReader(text), v, &aHub{})
}

func TestAWatchIsReadLineByLine(t *testing.T) {
	v, told := aView()
	bookmark := &unstructured.Unstructured{Object: fields{"metadata": fields{"resourceVersion": "9", "annotations": fields{"k8s.io/initial-events-end": "true"}}}}
	changed := kept(withVersion(8), withStatus("Failed"))
	drifted := kept(withVersion(10), withSpec("schedule", "@every 1h"))
	s := streamed(v, event(t, "ADDED", kept())+"\n"+event(t, "MODIFIED", changed)+event(t, "BOOKMARK", bookmark)+
		event(t, "MODIFIED", drifted)+event(t, "DELETED", kept(withVersion(11))))

	var before *observed
	for _, want := range []struct {
		kind    watch.EventType
		version string
		told    []string
		store   func(*sighting)
	}{
		{watch.Added, "7", []string{"api-health"}, v.update},
		{watch.Modified, "8", nil, v.update},
		{watch.Bookmark, "9", nil, nil},
		{watch.Modified, "10", []string{"api-health"}, v.update},
		{watch.Deleted, "11", []string{"api-health"}, v.remove},
	} {
		kind, got, err := s.next()
		must(t, err)
		if kind != want.kind || got.version != want.version || got.endsList != (kind == watch.Bookmark) {
			t.Fatalf("%s %+v, want %s@%s", kind, got, want.kind, want.version)
		}
		if want.store == nil {
			continue
		}
		mustEqual(t, "place", got.key, at("api-health"))
		want.store(got)
		mustEqual(t, "told of", told(), want.told)
		if want.version == "8" {
			after := *v.get(at("api-health"))
			after.resourceVersion = before.resourceVersion
			mustEqual(t, "after a change of status", &after, before)
		}
		before = v.get(at("api-health"))
	}
	if _, _, err := s.next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	shows(t, v)
}

// What the hub asks for is known when it is seen: fanout wrote it, just now or before it was started anew.
func TestTheWatchBringsAWriteBeforeItsAnswer(t *testing.T) {
	v, _ := aView()
	line := event(t, "ADDED", kept())
	_, got, err := streamOf(strings.NewReader(line), v, &aHub{parent: aParent()}).next()
	must(t, err)
	_, decoded, err := streamed(v, line).next()
	must(t, err)
	mustEqual(t, "seen", got.observed, decoded.observed)
	_, other, err := streamOf(strings.NewReader(line), v, &aHub{parent: aParent(withSpec("schedule", "@every 9h"))}).next()
	must(t, err)
	mustEqual(t, "seen while another is asked for", other.observed, decoded.observed)
}

func TestAWatchThatGoesWrong(t *testing.T) {
	v, _ := aView()
	for name, row := range map[string]struct{ text, says string }{
		"cut off":       {`{"type":"ADDED","object":{"meta`, io.ErrUnexpectedEOF.Error()},
		"no event":      {"<html>\n", `event of type ""`},
		"another event": {`{"type":"MOVED","object":{}}` + "\n", `event of type "MOVED"`},
		"no object":     {`{"type":"ADDED","object":{"metadata":{"name":}}}` + "\n", "metadata of a Canary"},
		"no status":     {`{"type":"ERROR","object":[]}` + "\n", "no Status"},
	} {
		if _, _, err := streamed(v, row.text).next(); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone := streamed(v, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}`+"\n")
	if _, _, err := gone.next(); !apierrors.IsResourceExpired(err) || continues(err) {
		t.Errorf("what is no more: %v", err)
	}
	if _, _, err := streamOf(failing{}, v, &aHub{}).next(); !errors.Is(err, errFailing) || !continues(err) {
		t.Errorf("a connection that breaks: %v", err)
	}
}

var errFailing = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errFailing }
