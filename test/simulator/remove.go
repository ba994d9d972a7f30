package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// serveDelete answers a delete. What finalizers hold is marked only.
func (m *member) serveDelete(w http.ResponseWriter, r request, body []byte) {
	var options metav1.DeleteOptions
	if len(body) > 0 {
		if err := json.Unmarshal(body, &options); err != nil {
			m.answer(w, nil, apierrors.NewBadRequest(err.Error()))
			return
		}
	}
	m.mu.Lock()
	live := m.objects[key{r.namespace, r.name}]
	held, err := m.delete(r, live, options.Preconditions)
	m.mu.Unlock()
	switch {
	case err != nil:
		m.answer(w, nil, err)
	case held != nil:
		m.answerObject(w, http.StatusOK, held)
	default:
		m.answer(w, &metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusSuccess,
			Details: &metav1.StatusDetails{Name: r.name, Group: canaries.Group, Kind: canaries.Resource, UID: types.UID(live.uid)},
		}, nil)
	}
}

// canaryAsResource is how an API server names the resource where a delete's precondition does not hold.
var canaryAsResource = schema.GroupResource{Group: canaryKind.Group, Resource: canaryKind.Kind}

// delete returns what is left of live, nil where that is nothing. The caller has the lock.
func (m *member) delete(r request, live *object, only *metav1.Preconditions) (*object, error) {
	if live == nil {
		return nil, apierrors.NewNotFound(canaries, r.name)
	}
	if only != nil {
		if uid := uidOf(only.UID); uid != "" && uid != live.uid {
			return nil, apierrors.NewConflict(canaryAsResource, r.name, fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", uid, live.uid))
		}
		if version := versionOf(only.ResourceVersion); version != "" && version != fmt.Sprint(live.version) {
			return nil, apierrors.NewConflict(canaryAsResource, r.name, fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%d). The object might have been modified", version, live.version))
		}
	}
	if len(live.finalizers) == 0 {
		m.commit(live, nil)
		m.counts.write(canaries.Resource)
		return nil, nil
	}
	if live.deleted != "" {
		return live, nil
	}
	marked := *live
	marked.deleted = now()
	marked.generation++
	m.commit(live, &marked)
	m.counts.write(canaries.Resource)
	return &marked, nil
}
