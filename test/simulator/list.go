package simulator

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
)

// selection returns what tells whether an object is asked for.
func (r request) selection() (func(*object) bool, error) {
	selector, err := labels.Parse(r.query.Get("labelSelector"))
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	return func(o *object) bool {
		return (r.namespace == "" || o.namespace == r.namespace) && selector.Matches(o.labels.set)
	}, nil
}

// serveList answers with all that is selected, or with a page of it.
func (m *member) serveList(w http.ResponseWriter, r request) {
	selects, err := r.selection()
	if err != nil {
		m.answer(w, nil, err)
		return
	}
	after, err := base64.RawURLEncoding.DecodeString(r.query.Get("continue"))
	if err != nil {
		m.answer(w, nil, apierrors.NewBadRequest("continue key is not valid: "+err.Error()))
		return
	}
	limit, _ := strconv.Atoi(r.query.Get("limit"))
	if r.query.Get("resourceVersion") == "0" {
		limit = 0 // an API server answers that from memory, and whole
	}
	m.mu.Lock()
	found, version := m.list(selects), m.version
	m.mu.Unlock()
	if len(after) > 0 {
		for len(found) > 0 && found[0].place() <= string(after) {
			found = found[1:]
		}
	}
	more, left := "", 0
	if limit > 0 && len(found) > limit {
		left = len(found) - limit
		found = found[:limit]
		more = base64.RawURLEncoding.EncodeToString([]byte(found[limit-1].place()))
	}

	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	b := append((*buffer)[:0], `{"apiVersion":"canaries.flanksource.com/v1","items":[`...)
	for i, o := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.appendTo(b)
	}
	b = append(b, `],"kind":"CanaryList","metadata":{"continue":"`...)
	b = append(b, more...)
	if left > 0 && r.query.Get("labelSelector") == "" {
		b = strconv.AppendInt(append(b, `","remainingItemCount":`...), int64(left), 10)
		b = append(b, `,"resourceVersion":"`...)
	} else {
		b = append(b, `","resourceVersion":"`...)
	}
	b = strconv.AppendUint(b, version, 10)
	b = append(b, "\"}}\n"...)
	*buffer = b
	answerLong(w, r, b)
}

// place orders objects as list does.
func (o *object) place() string { return strings.Join([]string{o.namespace, o.name}, "\x00") }
