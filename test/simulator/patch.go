package simulator

import (
	"encoding/json"
	"net/http"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// servePatch answers a merge patch of a Canary, or of its status.
func (m *member) servePatch(w http.ResponseWriter, r request, body []byte) {
	if r.Header.Get("Content-Type") != "application/merge-patch+json" {
		m.answer(w, nil, apierrors.NewMethodNotSupported(canaries, "patch"))
		return
	}
	m.mu.Lock()
	live := m.objects[key{r.namespace, r.name}]
	next, err := m.patch(r, live, body)
	switch {
	case err != nil || next == live:
	case next.deleted != "" && len(next.finalizers) == 0:
		m.commit(next, nil) // nothing holds it any more
		m.counts.write(canaries.Resource)
	default:
		m.commit(live, next)
		m.counts.write(canaries.Resource)
	}
	m.mu.Unlock()
	if err != nil {
		m.answer(w, nil, err)
		return
	}
	m.answerObject(w, http.StatusOK, next)
}

func (m *member) patch(r request, live *object, body []byte) (*object, error) {
	if live == nil {
		return nil, apierrors.NewNotFound(canaries, r.name)
	}
	var asked struct {
		Metadata struct{ UID, ResourceVersion string }
	}
	merged, err := jsonpatch.MergePatch(live.appendTo(nil), body)
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	patched := &unstructured.Unstructured{}
	if err == nil {
		err = patched.UnmarshalJSON(merged)
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	before := live.unstructured()
	fields := m.schema.fields
	if r.subresource == "status" {
		fields = m.schema.status
		patched.Object["metadata"], patched.Object["spec"] = before.DeepCopy().Object["metadata"], before.Object["spec"]
	} else if status, ok := before.Object["status"]; ok {
		patched.Object["status"] = status
	} else {
		delete(patched.Object, "status")
	}
	manager := r.query.Get("fieldManager")
	if manager == "" {
		manager, _, _ = strings.Cut(r.UserAgent(), "/")
	}
	result := fields.UpdateNoErrors(before, patched, manager).(*unstructured.Unstructured)
	m.schema.fill(result.Object)
	if err := m.precondition(r, live, asked.Metadata.UID, asked.Metadata.ResourceVersion); err != nil {
		return nil, err
	}
	next := m.succeed(live, m.fromUnstructured(result))
	if next != live && r.subresource == "status" {
		next.alone = live.alone
	}
	return next, nil
}
