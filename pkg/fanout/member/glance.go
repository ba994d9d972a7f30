package member

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"

	"fanout/pkg/fanout/derive"
)

// glance is a Canary's JSON looked over once, and decoded no further: most of what a watch brings is known already, but for the status.
type glance struct {
	key                           types.NamespacedName
	version                       string
	uid, created                  string
	owned, terminating            bool
	metadata, spec, status        string
	labels, annotations, managers gjson.Result
	// print is the same for two versions of an object that are the same to fanout: they differ in status at most, or in who wrote that
	// and when. Unlike a content, it tells apart what means the same and is written otherwise.
	print uint64
}

// processSeed makes hashes that mean something in this process only.
var processSeed = maphash.MakeSeed()

// glanceAt looks over JSON that need not be valid: whatever of it is to be believed is decoded.
func glanceAt(object string) glance {
	var g glance
	var print maphash.Hash
	print.SetSeed(processSeed)
	note := func(field string, value gjson.Result) {
		print.WriteString(field)
		print.WriteByte(0)
		print.WriteString(value.Raw)
	}
	gjson.Parse(object).ForEach(func(field, value gjson.Result) bool {
		switch field.Str {
		case "metadata":
			g = glance{metadata: value.Raw, spec: g.spec, status: g.status} // of a field that comes twice the last counts
			g.glanceAtMetadata(value, note)
		case "spec":
			g.spec = value.Raw
			note("spec", value)
		case "status":
			g.status = value.Raw
		}
		return true
	})
	g.print = print.Sum64()
	return g
}

func (g *glance) glanceAtMetadata(metadata gjson.Result, note func(string, gjson.Result)) {
	metadata.ForEach(func(field, value gjson.Result) bool {
		switch field.Str {
		case "namespace":
			g.key.Namespace = remembered(value)
		case "name":
			g.key.Name = remembered(value)
		case "resourceVersion":
			g.version = remembered(value)
			return true
		case "managedFields":
			g.managers = value
			noteManagers(value, note)
			return true
		case "uid":
			g.uid = remembered(value)
		case "creationTimestamp":
			g.created = value.Str
		case "ownerReferences":
			g.owned = true
		case "deletionTimestamp":
			g.terminating = value.Type == gjson.String
		case "labels":
			g.labels = value
		case "annotations":
			g.annotations = value
		}
		note(field.Str, value)
		return true
	})
}

// remembered is a text that may be remembered: it does not keep the whole event in memory.
func remembered(text gjson.Result) string { return strings.Clone(text.String()) }

// noteManagers notes who manages what but the status, and not since when.
func noteManagers(managers gjson.Result, note func(string, gjson.Result)) {
	managers.ForEach(func(_, entry gjson.Result) bool {
		if entry.Get("subresource").Str == "status" {
			return true
		}
		entry.ForEach(func(field, value gjson.Result) bool {
			if field.Str != "time" {
				note(field.Str, value)
			}
			return true
		})
		return true
	})
}

// decode returns the object without its status.
func (g *glance) decode() (*unstructured.Unstructured, error) {
	object := map[string]any{}
	for field, text := range map[string]string{"metadata": g.metadata, "spec": g.spec} {
		if text == "" {
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			return nil, fmt.Errorf("the %s of a Canary: %w", field, err)
		}
		object[field] = value
	}
	return &unstructured.Unstructured{Object: object}, nil
}

// of is what is remembered of the object, which was decoded.
func (g *glance) of(decoded *unstructured.Unstructured) *observed {
	o := observe(decoded)
	o.print = g.print
	return o
}

// since is what is remembered of the object when its last version was like this one, as far as fanout goes.
func (g *glance) since(known *observed) *observed {
	o := *known
	o.resourceVersion, o.terminating = g.version, g.terminating
	return &o
}

// asSent is what is remembered of the object where it is what was sent, and no more, and nil where it has to be decoded.
func (g *glance) asSent(want derive.Copy) *observed {
	if want.Hash == "" {
		return nil
	}
	created, err := time.Parse(time.RFC3339, g.created)
	if err != nil || g.uid == "" || g.owned || g.terminating || g.hasStrangers() || !want.IsStoredAs(g.labels.Raw, g.annotations.Raw, g.spec) {
		return nil
	}
	return &observed{
		uid: types.UID(g.uid), resourceVersion: g.version, content: want.Content, hash: want.Hash,
		generation: want.Generation, created: created.Unix(), print: g.print,
	}
}

// hasStrangers tells that anybody but fanout manages something of the spec.
func (g *glance) hasStrangers() bool {
	found := false
	g.managers.ForEach(func(_, entry gjson.Result) bool {
		ours := entry.Get("manager").Str == derive.FieldManager && entry.Get("operation").Str == string(metav1.ManagedFieldsOperationApply) &&
			!entry.Get("subresource").Exists()
		found = found || !ours && entry.Get(`fieldsV1.f\:spec`).Exists()
		return !found
	})
	return found
}
