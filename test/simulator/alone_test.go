package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fanout/test/fixture"
)

// TestShortWay holds the short way through server-side apply to the long one: whatever is applied, patched and written as a status
// in whatever order, both make the same of it.
func TestShortWay(t *testing.T) {
	crd := fixture.CRD(t)
	s, err := Start(Options{Members: 2, CRD: crd})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	short := 0
	rapid.Check(t, func(t *rapid.T) {
		both := []*member{newMember(s, 0), newMember(s, 1)} // the first takes the short way where it can
		for _, m := range both {
			m.namespaces["here"] = namespace{}
		}
		t.Repeat(map[string]func(*rapid.T){
			"apply": func(t *rapid.T) {
				manager := rapid.SampledFrom([]string{"fanout", "fanout", "fanout", "somebody"}).Draw(t, "manager")
				body := drawnCanary(t)
				r := request{Request: &http.Request{}, verb: "apply", resource: canaries.Resource, namespace: "here", name: "drawn"}
				a := application{request: r, manager: manager, force: rapid.Bool().Draw(t, "force"), body: []byte(body)}
				live := both[0].objects[key{"here", "drawn"}]
				next, taken, err := both[0].applyAlone(a, live)
				if taken {
					short++
				} else {
					next, err = both[0].applyMerged(a, live)
				}
				long := both[1].objects[key{"here", "drawn"}]
				other, otherErr := both[1].applyMerged(a, long)
				if fmt.Sprint(err) != fmt.Sprint(otherErr) {
					t.Fatalf("the short way says %v, the long one %v", err, otherErr)
				}
				if err == nil {
					keepBoth(both, []*object{live, long}, []*object{next, other})
				}
			},
			"patch": func(t *rapid.T) {
				r := request{Request: &http.Request{}, query: map[string][]string{"fieldManager": {"somebody"}}, resource: canaries.Resource, namespace: "here", name: "drawn"}
				patch := rapid.SampledFrom([]string{
					`{"spec":{"schedule":"@every 7m"}}`, `{"metadata":{"labels":{"x":"y"}}}`, `{"status":{"status":"Passed"}}`, `{"status":{"status":"Failed"}}`,
				}).Draw(t, "patch")
				if strings.Contains(patch, "status") {
					r.subresource = "status"
				}
				var lives, nexts []*object
				for _, m := range both {
					live := m.objects[key{"here", "drawn"}]
					next, err := m.patch(r, live, []byte(patch))
					if err != nil {
						return
					}
					lives, nexts = append(lives, live), append(nexts, next)
				}
				keepBoth(both, lives, nexts)
			},
			"": func(t *rapid.T) {
				var texts []any
				for _, m := range both {
					if o := m.objects[key{"here", "drawn"}]; o != nil {
						texts = append(texts, comparable(o.unstructured().Object))
					}
				}
				if len(texts) == 2 {
					if difference := cmp.Diff(texts[1], texts[0]); difference != "" {
						t.Fatalf("the short way (+) leads elsewhere than the long one (-):\n%s", difference)
					}
				}
			},
		})
	})
	if short == 0 {
		t.Error("the short way was never taken")
	}
}

func keepBoth(members []*member, lives, nexts []*object) {
	for i, m := range members {
		if nexts[i] != lives[i] {
			m.commit(lives[i], nexts[i])
		}
	}
}

// drawnCanary is what is applied: few different ones, so that many are of the same shape.
func drawnCanary(t *rapid.T) string {
	labels := rapid.SampledFrom([]string{`{"a":"1"}`, `{"a":"2"}`, `{"a":"1","b":"1"}`}).Draw(t, "labels")
	annotations := rapid.SampledFrom([]string{`{"n":"1"}`, `{"n":"2"}`, `{"m":"1"}`}).Draw(t, "annotations")
	spec := rapid.SampledFrom([]string{
		`{"schedule":"@every 1m"}`, `{"schedule":"@every 2m","replicas":2}`, `{"interval":30,"http":[{"name":"a","url":"http://a"}]}`,
		`{"schedule":"@every 1m","env":{"x":{"valueFrom":{"secretKeyRef":{"key":"k"}}}}}`, `{"schedule":"@every 1m","odd":1}`,
	}).Draw(t, "spec")
	return `{"apiVersion":"canaries.flanksource.com/v1","kind":"Canary","metadata":{"name":"drawn","namespace":"here","labels":` + labels +
		`,"annotations":` + annotations + `},"spec":` + spec + `}`
}
