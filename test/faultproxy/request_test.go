package faultproxy

import (
	"net/http/httptest"
	"testing"
)

func TestRequestOf(t *testing.T) {
	const canaries = "/apis/canaries.flanksource.com/v1"
	for _, test := range []struct {
		method, url string
		want        Request
	}{
		{"GET", "/api/v1/namespaces/kube-system", Request{Verb: "get", Resource: "namespaces", Name: "kube-system"}},
		{"POST", "/api/v1/namespaces", Request{Verb: "create", Resource: "namespaces"}},
		{"PUT", "/api/v1/namespaces/a/finalize", Request{Verb: "update", Resource: "namespaces", Name: "a", Subresource: "finalize"}},
		{"GET", "/api/v1/namespaces/a/secrets?watch=true", Request{Verb: "watch", Resource: "secrets", Namespace: "a"}},
		{"PATCH", "/api/v1/namespaces/a/secrets/b", Request{Verb: "patch", Resource: "secrets", Namespace: "a", Name: "b"}},
		{"GET", canaries + "/canaries?watch=1", Request{Verb: "watch", Resource: "canaries"}},
		{"GET", canaries + "/canaries?labelSelector=x", Request{Verb: "list", Resource: "canaries"}},
		{"GET", canaries + "/namespaces/a/canaries/b", Request{Verb: "get", Resource: "canaries", Namespace: "a", Name: "b"}},
		{"PATCH", canaries + "/namespaces/a/canaries/b/status", Request{Verb: "patch", Resource: "canaries", Subresource: "status", Namespace: "a", Name: "b"}},
		{"DELETE", canaries + "/namespaces/a/canaries/b", Request{Verb: "delete", Resource: "canaries", Namespace: "a", Name: "b"}},
		{"DELETE", canaries + "/namespaces/a/canaries", Request{Verb: "deletecollection", Resource: "canaries", Namespace: "a"}},
		{"GET", "/readyz", Request{Verb: "get"}},
	} {
		r := httptest.NewRequest(test.method, test.url, nil)
		test.want.Path = r.URL.Path
		if got := RequestOf(r); got != test.want {
			t.Errorf("%s %s is %+v, not %+v", test.method, test.url, got, test.want)
		}
	}
}

func TestMatch(t *testing.T) {
	request := Request{Verb: "patch", Resource: "canaries", Namespace: "a", Name: "b", Path: "/apis/x"}
	for _, match := range []Match{{}, {Verb: "patch"}, {Resource: "canaries", Name: "b"}, {Namespace: "a", Path: "/apis"}} {
		if !match.takes(request) {
			t.Errorf("%+v does not take it", match)
		}
	}
	for _, match := range []Match{{Verb: "get"}, {Resource: "secrets"}, {Name: "c"}, {Namespace: "b"}, {Path: "/api/"}} {
		if match.takes(request) {
			t.Errorf("%+v takes it", match)
		}
	}
}
