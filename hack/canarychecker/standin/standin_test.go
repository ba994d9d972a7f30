package standin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"
)

func TestFormats(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{uptime(0, 0), ""},
		{uptime(0, 2), "0/2 0%"},
		{uptime(33, 33), "33/66 (50.0%)"},
		{uptime(26, 1), "26/27 (96.3%)"},
		{uptime(3, 0), "3/3 (100.0%)"},
		{age(0), "0ms"},
		{age(300 * time.Microsecond), "0ms"},
		{age(999 * time.Millisecond), "999ms"},
		{age(time.Second), "1s"},
		{age(90 * time.Second), "90s"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, row := range []struct{ name, before, after string }{
		{"http", `{"http":[{"name":"a","url":"u","responseCodes":[200]}],"schedule":"@every 1m"}`,
			`{"http":[{"name":"a","url":"u","responseCodes":[200],"display":{},"test":{},"transform":{},"username":{},"password":{}}],"schedule":"@every 1m"}`},
		{"what is set stays", `{"http":[{"name":"a","password":{"value":"x"},"test":{"expr":"true"}}]}`,
			`{"http":[{"name":"a","password":{"value":"x"},"test":{"expr":"true"},"display":{},"transform":{},"username":{}}]}`},
		{"zero values go", `{"tcp":[{"name":"a","description":"","thresholdMillis":0,"labels":{},"metrics":[]}],"dns":[]}`,
			`{"tcp":[{"name":"a","display":{},"test":{},"transform":{}}]}`},
		{"empty objects in empty objects", `{"prometheus":[{"name":"a","oauth":{"scope":["x"]}}]}`,
			`{"prometheus":[{"name":"a","bearer":{},"display":{},"oauth":{"clientID":{},"clientSecret":{},"scope":["x"]},"password":{},"test":{},"tls":{"ca":{},"cert":{},"key":{}},"transform":{},"username":{}}]}`},
		{"a null", `{"catalog":[{"name":"a"}]}`, `{"catalog":[{"name":"a","display":{},"selector":null,"test":{},"transform":{}}]}`},
		{"webhook", `{"webhook":{"name":"a"}}`, `{"webhook":{"name":"a","display":{},"test":{},"transform":{}}}`},
		{"nothing to add", `{"dns":[{"name":"a"}],"replicas":0}`, `{"dns":[{"name":"a"}],"replicas":0}`},
		{"no checks", `{"http":"text","tcp":["text"]}`, `{"tcp":["text"]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(parse(t, row.after), any(RoundTrip(parse(t, row.before).(object)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Written back once, a spec stays as it is.
func TestRoundTripOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := object{}
		for _, kind := range rapid.SliceOfN(rapid.SampledFrom(kinds), 0, 4).Draw(t, "kinds") {
			check := object{"name": "a"}
			for _, field := range rapid.SliceOf(rapid.SampledFrom([]string{"url", "test", "oauth", "selector"})).Draw(t, "fields") {
				check[field] = rapid.SampledFrom([]any{"", "x", false, int64(0), nil, object{}, object{"ca": object{}}, []any{}}).Draw(t, field)
			}
			spec[kind] = []any{check}
		}
		once := (&unstructured.Unstructured{Object: RoundTrip(spec)}).DeepCopy().Object
		if diff := cmp.Diff(once, RoundTrip((&unstructured.Unstructured{Object: once}).DeepCopy().Object)); diff != "" {
			t.Fatalf("the second time makes a difference:\n%s", diff)
		}
	})
}

func TestWhatIsRun(t *testing.T) {
	for _, row := range []struct{ canary, schedule string }{
		{`{"spec":{"http":[{"name":"a"}],"schedule":"@every 1m"}}`, "@every 1m"},
		{`{"spec":{"http":[{"name":"a"}],"schedule":"*/5 * * * *","interval":3}}`, "*/5 * * * *"},
		{`{"spec":{"http":[{"name":"a"}],"interval":60}}`, "@every 60s"},
		{`{"spec":{"http":[{"name":"a"}],"schedule":"sometimes"}}`, "sometimes"},
		{`{"spec":{"http":[{"name":"a"}],"schedule":"@never"}}`, ""},
		{`{"spec":{"http":[{"name":"a"}]}}`, ""},
		{`{"spec":{"schedule":"@every 1m"}}`, ""},
		{`{"spec":{"http":[{"name":"a"}],"schedule":"@every 1m","replicas":0}}`, ""},
		{`{"spec":{"http":[{"name":"a"}],"schedule":"@every 1m","agentSelector":["local"]}}`, ""},
		{`{"metadata":{"annotations":{"suspend":"true"}},"spec":{"http":[{"name":"a"}],"schedule":"@every 1m"}}`, ""},
	} {
		if got := scheduleOf(&unstructured.Unstructured{Object: parse(t, row.canary).(object)}); got != row.schedule {
			t.Errorf("%s is run %q, not %q", row.canary, got, row.schedule)
		}
	}
}

// The status is that of the check that ended last, whatever the others found.
func TestStatusOfARun(t *testing.T) {
	j := &job{checks: map[string]*history{}}
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	bad, good := check{id: "1", name: "bad"}, check{id: "2", name: "good"}
	status := map[string]any{"message": "old", "checks": map[string]any{"bad": "1"}}
	j.statusOf([]result{{check: bad, err: "no"}, {check: good, passed: true, took: 7 * time.Millisecond}}, noon)(status)
	want := map[string]any{
		"status": "Passed", "errorMessage": "no", "lastCheck": "2026-11-24T12:00:00Z", "lastTransitionedTime": "2026-11-24T12:00:00Z",
		"uptime1h": "1/2 (50.0%)", "latency1h": "7ms", "checks": map[string]any{"bad": "1"},
		"checkStatus": map[string]any{
			"1": map[string]any{"uptime1h": "0/1 0%", "lastTransitionedTime": "2026-11-24T12:00:00Z"},
			"2": map[string]any{"uptime1h": "1/1 (100.0%)", "lastTransitionedTime": "2026-11-24T12:00:00Z"},
		},
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("after the first run (-want +got):\n%s", diff)
	}
	j.statusOf([]result{{check: bad, err: "no"}, {check: good, err: "neither", took: 9 * time.Millisecond}}, noon.Add(time.Minute))(status)
	want["status"], want["errorMessage"], want["lastCheck"], want["latency1h"] = "Failed", "no, (1 more)", "2026-11-24T12:01:00Z", "8ms"
	want["lastTransitionedTime"], want["uptime1h"] = "2026-11-24T12:01:00Z", "1/4 (25.0%)"
	want["checkStatus"] = map[string]any{
		"1": map[string]any{"uptime1h": "0/2 0%"},
		"2": map[string]any{"uptime1h": "1/2 (50.0%)", "lastTransitionedTime": "2026-11-24T12:01:00Z"},
	}
	if diff := cmp.Diff(want, status); diff != "" {
		t.Errorf("after the second run (-want +got):\n%s", diff)
	}
	j.statusOf([]result{{check: good, passed: true}}, noon.Add(2*time.Hour))(status)
	if _, still := status["errorMessage"]; still || status["uptime1h"] != "1/1 (100.0%)" {
		t.Errorf("two hours later it is %v", status)
	}
}

func TestProbes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/fail" {
			answer.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = answer.Write([]byte("all is well"))
	}))
	defer server.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	c := &checker{http: server.Client()}
	for _, row := range []struct {
		kind, fields, err string
	}{
		{"http", `{"url":"SERVER/ok"}`, ""},
		{"http", `{"url":"SERVER/ok","responseCodes":[200],"responseContent":"well","thresholdMillis":60000}`, ""},
		{"http", `{"url":"SERVER/ok","responseContent":"ill"}`, `expected the response to contain "ill"`},
		{"http", `{"url":"SERVER/fail","responseCodes":[200]}`, "expected 500 to be in [200]"},
		{"http", `{"url":"SERVER/fail","responseCodes":[500]}`, ""},
		{"http", `{"url":"http://CLOSED/"}`, "connection refused"},
		{"tcp", `{"endpoint":"ADDRESS"}`, ""},
		{"tcp", `{"endpoint":"CLOSED"}`, "connection refused"},
		{"dns", `{"query":"localhost","minrecords":1}`, ""},
		{"dns", `{"query":"localhost","minrecords":9}`, "expecting 9"},
		{"dns", `{"query":"localhost","querytype":"WKS"}`, "unknown query type: WKS"},
		{"exec", `{"script":"true"}`, "performs no exec checks"},
	} {
		fields := strings.NewReplacer("SERVER", server.URL, "ADDRESS", server.Listener.Addr().String(), "CLOSED", closed).Replace(row.fields)
		found := c.perform(context.Background(), []check{{kind: row.kind, fields: parse(t, fields).(object)}})[0]
		if found.passed != (row.err == "") || !strings.Contains(found.err, row.err) {
			t.Errorf("%s %s: passed %t: %q, want %q", row.kind, row.fields, found.passed, found.err, row.err)
		}
	}
}

// parse reads JSON as a dynamic client does.
func parse(t *testing.T, text string) any {
	t.Helper()
	canary := &unstructured.Unstructured{}
	if err := canary.UnmarshalJSON([]byte(`{"kind":"Canary","value":` + text + `}`)); err != nil {
		t.Fatal(err)
	}
	return canary.Object["value"]
}
