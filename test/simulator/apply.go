package simulator

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// application is a server-side apply.
type application struct {
	request
	manager string
	force   bool
	body    []byte
}

// serveApply answers a server-side apply.
func (m *member) serveApply(w http.ResponseWriter, r request, body []byte) {
	a := application{request: r, manager: r.query.Get("fieldManager"), force: r.query.Get("force") == "true", body: body}
	if a.manager == "" {
		m.answer(w, nil, apierrors.NewInvalid(schema.GroupKind{Group: "meta.k8s.io", Kind: "PatchOptions"}, "",
			field.ErrorList{field.Required(field.NewPath("fieldManager"), "is required for apply patch")}))
		return
	}
	m.mu.Lock()
	live := m.objects[key{r.namespace, r.name}]
	next, err := m.apply(a, live)
	if err == nil && next != live {
		m.commit(live, next)
		m.counts.write(canaries.Resource)
	}
	m.mu.Unlock()
	switch {
	case err != nil:
		m.answer(w, nil, err)
	case live == nil:
		m.answerObject(w, http.StatusCreated, next)
	default:
		m.answerObject(w, http.StatusOK, next)
	}
}

// apply returns what stands there after a, which is live itself where a changes nothing.
func (m *member) apply(a application, live *object) (*object, error) {
	if next, taken, err := m.applyAlone(a, live); taken {
		return next, err
	}
	return m.applyMerged(a, live)
}

// applyMerged does as Kubernetes' own library says.
func (m *member) applyMerged(a application, live *object) (*object, error) {
	applied := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(a.body, &applied.Object); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding YAML: %v", err))
	}
	body, err := applied.MarshalJSON()
	if err == nil {
		err = applied.UnmarshalJSON(body) // with the numbers that Kubernetes has
	}
	if err != nil {
		return nil, apierrors.NewBadRequest(err.Error())
	}
	base := &unstructured.Unstructured{Object: map[string]any{}}
	base.SetGroupVersionKind(canaryKind)
	if live != nil {
		base = live.unstructured()
	}
	merged, err := m.schema.fields.Apply(base, applied, a.manager, a.force)
	if err != nil {
		return nil, err
	}
	if err := m.precondition(a.request, live, string(applied.GetUID()), applied.GetResourceVersion()); err != nil {
		return nil, err
	}
	result := merged.(*unstructured.Unstructured)
	m.schema.fill(result.Object)
	next := m.succeed(live, m.fromUnstructured(result))
	next.namespace, next.name = a.namespace, a.name
	if next != live && (live == nil || live.alone != nil && live.alone.manager == a.manager) {
		next.alone = m.shapes.learn(a, next)
	}
	return next, nil
}

// precondition holds what a write says of the version that it is for against what is there.
func (m *member) precondition(r request, live *object, uid, version string) error {
	switch {
	case live == nil && uid != "":
		return apierrors.NewConflict(canaries, r.name, fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	case live == nil:
		if _, ok := m.namespaces[r.namespace]; !ok {
			return apierrors.NewNotFound(namespaces, r.namespace)
		}
		return nil
	case version != "" && version != strconv.FormatUint(live.version, 10):
		return apierrors.NewConflict(canaries, r.name, errModified)
	case uid != "" && uid != live.uid:
		immutable := field.Invalid(field.NewPath("metadata", "uid"), uid, "field is immutable")
		return apierrors.NewInvalid(canaryKind.GroupKind(), r.name, field.ErrorList{immutable, immutable}) // twice, as an API server does
	}
	return nil
}

var errModified = errors.New("the object has been modified; please apply your changes to the latest version and try again")

// succeed gives next what the server says of an object, after live. It returns live where next holds nothing else.
func (m *member) succeed(live, next *object) *object {
	if live == nil {
		next.uid, next.created, next.generation = newUID(), now(), 1
		return next
	}
	next.uid, next.created, next.deleted, next.generation = live.uid, live.created, live.deleted, live.generation
	if !bytes.Equal(next.spec, live.spec) {
		next.generation++
	}
	if next.holds(live) {
		return live
	}
	return next
}

// holds tells whether o and other are the same but for when their managers wrote.
func (o *object) holds(other *object) bool {
	return bytes.Equal(o.spec, other.spec) && bytes.Equal(o.status, other.status) && o.labels == other.labels &&
		bytes.Equal(o.annotations, other.annotations) && bytes.Equal(o.finalizers, other.finalizers) && bytes.Equal(o.owners, other.owners) &&
		slices.EqualFunc(o.managed, other.managed, func(a, b managedEntry) bool {
			a.time, b.time = "", ""
			return a.manager == b.manager && a.operation == b.operation && a.subresource == b.subresource && bytes.Equal(a.fields, b.fields)
		})
}

// uidOf and versionOf take what a precondition may lack.
func uidOf(uid *types.UID) string {
	if uid == nil {
		return ""
	}
	return string(*uid)
}

func versionOf(version *string) string {
	if version == nil {
		return ""
	}
	return *version
}
