package simulator

import (
	"encoding/json"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// object is one version of a Canary. Nobody changes it. What is JSON in it is as it is answered, and where others have the same it is
// theirs, too: a thousand members with the same copies take little more memory than one.
type object struct {
	namespace, name, uid string
	version              uint64
	generation           int64
	created, deleted     string // times; deleted is empty as long as it is not
	labels               *labelSet
	annotations          []byte
	finalizers, owners   []byte // empty where there are none
	spec, status         []byte
	managed              []managedEntry
	// alone is the shape of the apply that alone made all of this but the status, nil where others had a part in it.
	alone *shape
}

// managedEntry is what one manager has of an object.
type managedEntry struct {
	manager, operation, subresource, time string
	fields                                []byte
}

// labelSet is a set of labels that objects share.
type labelSet struct {
	set  labels.Set
	json []byte
}

// key is where an object stands.
type key struct{ namespace, name string }

func (o *object) key() key { return key{o.namespace, o.name} }

const canaryHeader = `{"apiVersion":"canaries.flanksource.com/v1","kind":"Canary","metadata":{`

// appendTo adds the object as JSON.
func (o *object) appendTo(b []byte) []byte {
	b = append(b, canaryHeader...)
	field := func(name string, value []byte) {
		if len(value) > 0 {
			b = append(append(append(append(b, '"'), name...), `":`...), value...)
			b = append(b, ',')
		}
	}
	text := func(name, value string) {
		b = append(append(append(append(b, '"'), name...), `":"`...), value...)
		b = append(b, `",`...)
	}
	field("annotations", o.annotations)
	text("creationTimestamp", o.created)
	if o.deleted != "" {
		b = append(b, `"deletionGracePeriodSeconds":0,`...)
		text("deletionTimestamp", o.deleted)
	}
	field("finalizers", o.finalizers)
	b = strconv.AppendInt(append(b, `"generation":`...), o.generation, 10)
	b = append(b, ',')
	field("labels", o.labels.json)
	if len(o.managed) > 0 {
		b = append(b, `"managedFields":[`...)
		for _, entry := range o.managed {
			b = append(b, `{"apiVersion":"canaries.flanksource.com/v1","fieldsType":"FieldsV1",`...)
			field("fieldsV1", entry.fields)
			text("manager", entry.manager)
			text("operation", entry.operation)
			if entry.subresource != "" {
				text("subresource", entry.subresource)
			}
			if entry.time != "" {
				text("time", entry.time)
			}
			b[len(b)-1] = '}'
			b = append(b, ',')
		}
		b[len(b)-1] = ']'
		b = append(b, ',')
	}
	text("name", o.name)
	text("namespace", o.namespace)
	field("ownerReferences", o.owners)
	text("resourceVersion", strconv.FormatUint(o.version, 10))
	text("uid", o.uid)
	b[len(b)-1] = '}'
	b = append(b, ',')
	field("spec", o.spec)
	field("status", o.status)
	b[len(b)-1] = '}'
	return b
}

// unstructured is the object as Kubernetes' libraries want it.
func (o *object) unstructured() *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(o.appendTo(nil)); err != nil {
		panic(err) // it was written by appendTo
	}
	return u
}

// fromUnstructured takes over what a client may say of an object, and what Kubernetes' libraries made of it.
func (s *Simulator) fromUnstructured(u *unstructured.Unstructured) *object {
	o := &object{
		namespace: u.GetNamespace(), name: u.GetName(), uid: string(u.GetUID()), generation: u.GetGeneration(),
		created: u.GetCreationTimestamp().UTC().Format(timeFormat), labels: s.share.labels(u.GetLabels()),
		annotations: jsonOf(u.GetAnnotations()), finalizers: s.share.bytes(jsonOf(u.GetFinalizers())),
		owners: jsonOf(u.GetOwnerReferences()), spec: s.share.bytes(jsonOf(u.Object["spec"])), status: s.share.bytes(jsonOf(u.Object["status"])),
	}
	if deleted := u.GetDeletionTimestamp(); deleted != nil {
		o.deleted = deleted.UTC().Format(timeFormat)
	}
	for _, entry := range u.GetManagedFields() {
		o.managed = append(o.managed, s.managedEntryOf(entry))
	}
	return o
}

func (s *Simulator) managedEntryOf(entry metav1.ManagedFieldsEntry) managedEntry {
	e := managedEntry{manager: entry.Manager, operation: string(entry.Operation), subresource: entry.Subresource}
	if entry.Time != nil {
		e.time = entry.Time.UTC().Format(timeFormat)
	}
	if entry.FieldsV1 != nil {
		e.fields = s.share.bytes(jsonOf(entry.FieldsV1))
	}
	return e
}

// timeFormat is that of a time in an object.
const timeFormat = "2006-01-02T15:04:05Z"

// jsonOf returns value as JSON, nothing where it holds nothing.
func jsonOf(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came as JSON
	}
	switch string(data) {
	case "null", "[]":
		return nil
	}
	return data
}

// shared keeps one of each text that objects have in common.
type shared struct{ texts, sets sync.Map }

func (s *shared) bytes(data []byte) []byte {
	if len(data) == 0 {
		return nil
	}
	known, _ := s.texts.LoadOrStore(string(data), data)
	return known.([]byte)
}

func (s *shared) labels(set map[string]string) *labelSet {
	data := jsonOf(set)
	if known, ok := s.sets.Load(string(data)); ok {
		return known.(*labelSet)
	}
	known, _ := s.sets.LoadOrStore(string(data), &labelSet{set: set, json: data})
	return known.(*labelSet)
}
