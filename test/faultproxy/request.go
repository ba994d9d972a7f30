package faultproxy

import (
	"net/http"
	"strings"
)

// Request is what a request asks of the API server, in the server's own words.
type Request struct {
	// Verb is get, list, watch, create, update, patch, delete or deletecollection. An apply is a patch.
	Verb string
	// Resource and Subresource say of what; Namespace and Name of which, where the request names one.
	Resource, Subresource, Namespace, Name string
	// Path is the URL's.
	Path string
}

// RequestOf reads a request's method and URL.
func RequestOf(r *http.Request) Request {
	request := Request{Path: r.URL.Path}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		parts = parts[3:]
	default:
		request.Verb = strings.ToLower(r.Method)
		return request
	}
	// namespaces/NAME/finalize and /status are of the namespace itself; what else follows its name is in it.
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "finalize" && parts[2] != "status" {
		request.Namespace, parts = parts[1], parts[2:]
	}
	for i, part := range parts[:min(3, len(parts))] {
		*[]*string{&request.Resource, &request.Name, &request.Subresource}[i] = part
	}
	request.Verb = verb(r, request.Name != "")
	return request
}

func verb(r *http.Request, named bool) string {
	switch r.Method {
	case http.MethodGet:
		switch watch := r.URL.Query().Get("watch"); {
		case watch == "1" || watch == "true":
			return "watch"
		case !named:
			return "list"
		}
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodDelete:
		if !named {
			return "deletecollection"
		}
	}
	return strings.ToLower(r.Method)
}

// Match says which requests are meant; an empty field means any. The zero Match means all requests.
type Match struct {
	// Verb, Resource, Namespace and Name are those of Request. A Resource means its subresources too.
	Verb, Resource, Namespace, Name string
	// Path is the beginning of the URL's path.
	Path string
	// Share is how many of these requests a fault concerns, from 0.0 exclusive to 1.0: 0.5 is every other one. 0 is
	// all of them. It means nothing to a hold.
	Share float64
}

func (m Match) takes(r Request) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(m.Verb, r.Verb) && is(m.Resource, r.Resource) && is(m.Namespace, r.Namespace) && is(m.Name, r.Name) &&
		strings.HasPrefix(r.Path, m.Path)
}
