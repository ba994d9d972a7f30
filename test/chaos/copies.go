package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
)

// edits are what people do to copies. fanout takes back the first ones; the last ones are additions, which stay.
var edits = []string{
	`{"spec":{"schedule":"@every 9h"}}`,
	otherChecks,
	`{"spec":{"schedule":null}}`,
	`{"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}`,
	`{"metadata":{"labels":{"team":"nobody"}}}`,
	noAnnotations,
	`{"metadata":{"annotations":{"fanout.flanksource.com/agent":"another"}}}`,
	`{"metadata":{"annotations":{"fanout.flanksource.com/hash":"0"}}}`,
	`{"metadata":{"annotations":{"fanout.flanksource.com/parent-generation":"99999"}}}`,
	`{"metadata":{"labels":{"added":"label"},"annotations":{"added":"annotation"}}}`,
	`{"spec":{"owner":"somebody"}}`,
}

// noAnnotations is the edit that takes all annotations from a copy, fanout's among them.
const noAnnotations = `{"metadata":{"annotations":null}}`

// otherChecks is the edit that puts other checks in place of a copy's own: of the kind that it has, for another would be an addition.
const otherChecks = "other checks"

// otherChecksOf is that edit for one copy, as it was seen.
func otherChecksOf(copied *unstructured.Unstructured) string {
	spec := `"http":[{"name":"another","url":"http://127.0.0.1:2/"}]`
	if _, has, _ := unstructured.NestedSlice(copied.Object, "spec", "http"); !has {
		spec = `"tcp":[{"name":"another","endpoint":"127.0.0.1:2"}]`
	}
	return fmt.Sprintf(`{"metadata":{"resourceVersion":%q},"spec":{%s}}`, copied.GetResourceVersion(), spec)
}

// addition is the field that the last of the edits adds to a spec; addToCopy adds another.
const addition = "owner"

// withoutAdditions is a copy without what edits add: a label team, too, where the parent has none.
func withoutAdditions(copied, parent *unstructured.Unstructured) *unstructured.Unstructured {
	copied = copied.DeepCopy()
	unstructured.RemoveNestedField(copied.Object, "metadata", "labels", "added")
	if _, has := parent.GetLabels()["team"]; !has && copied.GetLabels()["team"] == "nobody" {
		unstructured.RemoveNestedField(copied.Object, "metadata", "labels", "team")
	}
	unstructured.RemoveNestedField(copied.Object, "metadata", "annotations", "added")
	unstructured.RemoveNestedField(copied.Object, "spec", addition)
	unstructured.RemoveNestedField(copied.Object, "spec", "exec")
	return copied
}

// withoutOtherChecks is a copy without checks of a kind that its parent has none of.
func withoutOtherChecks(copied, parent *unstructured.Unstructured) *unstructured.Unstructured {
	copied = copied.DeepCopy()
	for _, kind := range []string{"http", "tcp"} {
		if _, has, _ := unstructured.NestedSlice(parent.Object, "spec", kind); !has {
			unstructured.RemoveNestedField(copied.Object, "spec", kind)
		}
	}
	return copied
}

// finalizer is somebody else's.
const finalizer = "chaos.example.com/hold"

var errNoCopy = errors.New("there is no copy")

// copies lists a cluster's copies, terminating ones too, in an order.
func (r *round) copies(c *cluster) ([]unstructured.Unstructured, error) {
	ctx, cancel := request(r.t)
	defer cancel()
	list, err := c.Dynamic.Resource(derive.Canaries).List(ctx, metav1.ListOptions{LabelSelector: derive.LabelHub + "=" + r.w.hubID})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(copied unstructured.Unstructured) bool {
		return !isOneOf(r.namespaces, copied.GetNamespace())
	}), nil
}

// withCopy does something to one of the copies in a cluster that has any, at most twice to any: another writer that keeps
// changing a copy is put off for longer each time.
func (r *round) withCopy(n numbers, do func(*cluster, *unstructured.Unstructured) error) string {
	for i := range clusterNames {
		c := r.w.clusters[clusterNames[(n[0]+i)%len(clusterNames)]]
		if copies, err := r.copies(c); err == nil && len(copies) > 0 {
			return r.withCopyIn(c, n, do)
		}
	}
	return errNoCopy.Error()
}

func (r *round) withCopyIn(c *cluster, n numbers, do func(*cluster, *unstructured.Unstructured) error) string {
	c.writing.Lock()
	defer c.writing.Unlock()
	copies, err := r.copies(c)
	if err == nil && len(copies) == 0 {
		err = errNoCopy
	}
	if err != nil {
		return said(c, place{}, err)
	}
	copied := &copies[n[1]%len(copies)]
	at := placeOf(copied)
	r.mu.Lock()
	s, key := r.objects.standing[c.Name][at], c.Name+" "+at.String()
	often := r.objects.edited[key] > 1
	r.objects.edited[key]++
	r.mu.Unlock()
	if often || s != nil {
		return said(c, at, errors.New("it is left alone"))
	}
	return said(c, at, do(c, copied))
}

func (r *round) patchCopy(c *cluster, copied *unstructured.Unstructured, patch string) (*unstructured.Unstructured, error) {
	ctx, cancel := request(r.t)
	defer cancel()
	return c.Canaries(copied.GetNamespace()).Patch(ctx, copied.GetName(), types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "somebody"})
}

func (r *round) editCopy(n numbers) string {
	edit := edits[n[2]%len(edits)]
	return edit + " " + r.withCopy(n, func(c *cluster, copied *unstructured.Unstructured) error {
		patch := edit
		if edit == otherChecks {
			patch = otherChecksOf(copied)
		}
		if strings.Contains(edit, addition) {
			return r.add(c, copied, edit, addition)
		}
		if edit == noAnnotations && isOneOf(checked, c.Name) {
			r.mu.Lock()
			r.objects.forgotten[string(copied.GetUID())] = true
			r.mu.Unlock()
		}
		_, err := r.patchCopy(c, copied, patch)
		return err
	})
}

// addToCopy adds to the spec of a copy, and takes canary-checker's finalizer off: where that is at work, it writes the copy back
// with what was added, which is its own then by all that the API server knows. Then, mostly, the parent is edited.
func (r *round) addToCopy(n numbers) string {
	var at place
	did := r.withCopyIn(r.w.clusters[checked[n[0]%len(checked)]], n, func(c *cluster, copied *unstructured.Unstructured) error {
		if copied.GetDeletionTimestamp() != nil {
			return errNoCopy
		}
		at = placeOf(copied)
		return r.add(c, copied, fmt.Sprintf(`{"metadata":{"uid":%q,"finalizers":null},"spec":{"exec":[{"name":"somebody's","script":"true"}]}}`, copied.GetUID()), "exec")
	})
	p := r.known(at)
	if p == nil || p.invalid || n[2]%4 == 0 {
		return did
	}
	pause(r.t, time.Duration(n[3]%100)*time.Millisecond)
	return did + "; " + r.parent(at, p.selector)
}

// add patches a copy with something that stays.
func (r *round) add(c *cluster, copied *unstructured.Unstructured, patch, field string) error {
	live, err := r.patchCopy(c, copied, patch)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	uid := string(live.GetUID())
	r.objects.added[uid] = append(r.objects.added[uid], field)
	return nil
}

func (r *round) deleteCopy(n numbers) string {
	return r.withCopy(n, func(c *cluster, copied *unstructured.Unstructured) error {
		return r.deleteOurs(c, placeOf(copied))
	})
}

// holdCopy has somebody's finalizer hold a copy, and now and then deletes it then.
func (r *round) holdCopy(n numbers) string {
	return r.withCopy(n, func(c *cluster, copied *unstructured.Unstructured) error {
		if copied.GetDeletionTimestamp() != nil {
			return errNoCopy
		}
		if _, err := r.patchCopy(c, copied, fmt.Sprintf(`{"metadata":{"finalizers":[%q]}}`, finalizer)); err != nil || n[2]%2 == 0 {
			return err
		}
		return r.deleteOurs(c, placeOf(copied))
	})
}

func (r *round) releaseCopies(n numbers) string {
	c := r.w.clusters[clusterNames[n[0]%len(clusterNames)]]
	return fmt.Sprintf("%s: %v", c.Name, r.release(c))
}

// release takes all finalizers from a cluster's Canaries in this round's namespaces.
func (r *round) release(c *cluster) error {
	ctx, cancel := request(r.t)
	defer cancel()
	list, err := c.Dynamic.Resource(derive.Canaries).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		if len(list.Items[i].GetFinalizers()) > 0 && isOneOf(r.namespaces, list.Items[i].GetNamespace()) {
			_, _ = r.patchCopy(c, &list.Items[i], `{"metadata":{"finalizers":null}}`)
		}
	}
	return nil
}

// disown takes the hub's label from a copy, which makes it a stranger.
func (r *round) disown(n numbers) string {
	return r.withCopy(n, func(c *cluster, copied *unstructured.Unstructured) error {
		if copied.GetDeletionTimestamp() != nil || isOneOf(copied.GetFinalizers(), finalizer) {
			return errNoCopy
		}
		uid := string(copied.GetUID())
		live, err := r.patchCopy(c, copied, fmt.Sprintf(`{"metadata":{"uid":%q,"labels":{%q:null}}}`, uid, derive.LabelHub))
		if err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.objects.copies, uid)
		r.own(c, placeOf(copied), live)
		return nil
	})
}
