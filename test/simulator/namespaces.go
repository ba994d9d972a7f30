package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var namespaces = schema.GroupResource{Resource: "namespaces"}

// namespace is what is kept of one.
type namespace struct {
	uid, created, manager string
	version               uint64
}

// space answers a request that is about namespaces.
func (m *member) space(w http.ResponseWriter, r request) {
	switch r.verb {
	case "get":
		m.mu.Lock()
		found, ok := m.namespaces[r.name]
		m.mu.Unlock()
		if !ok {
			m.answer(w, nil, apierrors.NewNotFound(namespaces, r.name))
			return
		}
		m.answer(w, found.json(r.name), nil)
	case "create":
		m.createNamespace(w, r)
	default:
		m.answer(w, nil, apierrors.NewMethodNotSupported(namespaces, r.verb))
	}
}

func (m *member) createNamespace(w http.ResponseWriter, r request) {
	var asked corev1.Namespace
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	if err != nil || asked.Name == "" {
		m.answer(w, nil, apierrors.NewBadRequest("not a Namespace with a name"))
		return
	}
	m.mu.Lock()
	_, taken := m.namespaces[asked.Name]
	if !taken {
		m.version++
		m.namespaces[asked.Name] = namespace{uid: newUID(), created: now(), version: m.version, manager: r.query.Get("fieldManager")}
		m.counts.write(namespaces.Resource)
	}
	made := m.namespaces[asked.Name]
	m.mu.Unlock()
	if taken {
		m.answer(w, nil, apierrors.NewAlreadyExists(namespaces, asked.Name))
		return
	}
	answer, err := json.Marshal(made.json(asked.Name))
	if err != nil {
		panic(err) // all of it can be encoded
	}
	begin(w)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(append(answer, '\n'))
}

// json is the namespace as an API server answers it.
func (n namespace) json(name string) map[string]any {
	metadata := map[string]any{
		"name": name, "uid": n.uid, "resourceVersion": strconv.FormatUint(n.version, 10), "creationTimestamp": n.created,
		"labels": map[string]any{corev1.LabelMetadataName: name},
	}
	manager := n.manager
	if manager == "" {
		manager = "kube-apiserver"
	}
	metadata["managedFields"] = []any{map[string]any{
		"manager": manager, "operation": "Update", "apiVersion": "v1", "time": n.created, "fieldsType": "FieldsV1",
		"fieldsV1": map[string]any{"f:metadata": map[string]any{"f:labels": map[string]any{".": struct{}{}, "f:" + corev1.LabelMetadataName: struct{}{}}}},
	}}
	return map[string]any{
		"kind": "Namespace", "apiVersion": "v1", "metadata": metadata,
		"spec": map[string]any{"finalizers": []string{"kubernetes"}}, "status": map[string]any{"phase": "Active"},
	}
}
