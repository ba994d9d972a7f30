package chaos

import (
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/test/fixture"
)

func (r *round) placeBy(n int) place { return r.places[n%len(r.places)] }

// setParent creates a parent, or edits its spec and what it selects.
func (r *round) setParent(n numbers) string {
	selector := selectors[n[1]%len(selectors)]
	if n[2]%3 > 0 { // most of the time, somebody is selected
		selector = selectors[n[1]%usual]
	}
	if r.hubGone && n[3]%4 == 0 { // without parents not much happens
		r.note("set parent", r.installCRDs(n))
	}
	return r.parent(r.placeBy(n[0]), selector)
}

// parentBy returns the place of a parent that is there, or the first place where none is.
func (r *round) parentBy(n int) place {
	for i := range r.places {
		if at := r.placeBy(n + i); r.known(at) != nil {
			return at
		}
	}
	return r.placeBy(n)
}

func (r *round) parent(at place, selector []string) string {
	if r.hubGone {
		return "the hub has no CRD"
	}
	r.edits++
	spec := map[string]any{"agentSelector": selector, "schedule": fmt.Sprintf("@every %ds", r.edits), "http": nil, "tcp": nil}
	if r.edits%3 == 0 { // so that lists go which canary-checker wrote last
		spec["tcp"] = []any{map[string]any{"name": "port", "endpoint": "127.0.0.1:1"}}
	} else {
		spec["http"] = []any{map[string]any{"name": "api", "url": "http://127.0.0.1:1/", "responseCodes": []any{int64(200)}}}
	}
	p := r.known(at)
	if p == nil {
		return r.createParent(at, selector, spec)
	}
	r.expectGeneration(p, generation{selector: selector})
	live := r.patchParent(at, map[string]any{"spec": spec})
	r.mu.Lock()
	defer r.mu.Unlock()
	p.selector, p.invalid = selector, false
	return r.edited(at, p, live)
}

// known returns the parent at a place, nil where there is none. Only one goroutine changes parents, and reads them here.
func (r *round) known(at place) *parent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.parents[at]
}

func (r *round) createParent(at place, selector []string, spec map[string]any) string {
	hub := r.w.hub()
	canary := fixture.Canary(at.namespace, at.name, selector...)
	for field, value := range spec {
		switch {
		case value == nil:
			delete(canary.Object["spec"].(map[string]any), field)
		case field != "agentSelector":
			canary.Object["spec"].(map[string]any)[field] = value
		}
	}
	ctx, cancel := request(r.t)
	defer cancel()
	hub.Namespace(r.t, at.namespace)
	// Held back from the watch until its lineage is known.
	r.mu.Lock()
	defer r.mu.Unlock()
	live, err := hub.Canaries(at.namespace).Create(ctx, canary, metav1.CreateOptions{})
	if err != nil {
		r.t.Fatalf("create parent %s: %v", at, err)
	}
	r.lineages.succeed(at, string(live.GetUID()), generation{selector: selector})
	p := &parent{uid: string(live.GetUID()), selector: selector}
	r.model.parents[at] = p
	return "created: " + r.edited(at, p, live)
}

// expectGeneration notes what the parent's next generation will be, before anybody can know of it.
func (r *round) expectGeneration(p *parent, next generation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := r.lineages[p.uid]
	line.generations = append(line.generations, next)
}

// edited notes that the parent was written. r.mu is held.
func (r *round) edited(at place, p *parent, live *unstructured.Unstructured) string {
	p.generation = live.GetGeneration()
	if expected := len(r.lineages[p.uid].generations); p.generation != int64(expected) {
		r.t.Fatalf("parent %s has generation %d, not %d: the harness lost count", at, p.generation, expected)
	}
	return fmt.Sprintf("%s selects %q, generation %d", at, p.selector, p.generation)
}

func (r *round) patchParent(at place, patch map[string]any) *unstructured.Unstructured {
	body, err := json.Marshal(patch)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := request(r.t)
	defer cancel()
	live, err := r.w.hub().Canaries(at.namespace).Patch(ctx, at.name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: "user"})
	if err != nil {
		r.t.Fatalf("patch parent %s: %v", at, err)
	}
	return live
}

// describeParent changes labels and annotations, which change no generation.
func (r *round) describeParent(n numbers) string {
	at := r.parentBy(n[0])
	if r.known(at) == nil || r.hubGone {
		return "there is no " + at.String()
	}
	r.touch(at)
	return at.String()
}

// touch changes something that is derived, and nothing that selects.
func (r *round) touch(at place) {
	r.edits++
	text := fmt.Sprint(r.edits)
	r.patchParent(at, map[string]any{"metadata": map[string]any{
		"labels":      map[string]any{"team": "team-" + text, "app.kubernetes.io/instance": "argo-" + text},
		"annotations": map[string]any{"note": text, "kubectl.kubernetes.io/restartedAt": text},
	}})
}

func (r *round) spoilSelector(n numbers) string {
	at := r.parentBy(n[0])
	if r.known(at) == nil || r.hubGone {
		return "there is no " + at.String()
	}
	return r.spoil(at)
}

// spoilAndMendSelector makes a selector invalid that selects somebody, and after a while valid again, mostly as it was. In between,
// nothing may go: what came back in time would not show at the end of the round.
func (r *round) spoilAndMendSelector(n numbers) string {
	at := r.selectingBy(n[0])
	p := r.known(at)
	if p == nil || r.hubGone {
		return "there is no " + at.String()
	}
	selector := p.selector
	if n[1]%4 == 0 {
		selector = selectors[n[2]%len(selectors)]
	}
	spoilt := r.spoil(at)
	pause(r.t, time.Duration(n[3]%300)*time.Millisecond)
	return spoilt + "; " + r.parent(at, selector)
}

// selectingBy returns the place of a parent that selects somebody, or the first place where none does.
func (r *round) selectingBy(n int) place {
	for i := range r.places {
		at := r.placeBy(n + i)
		if p := r.known(at); p != nil && !p.invalid && r.isSelecting(at) {
			return at
		}
	}
	return r.placeBy(n)
}

func (r *round) isSelecting(at place) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range clusterNames {
		if agent := r.model.owner(name); agent != "" && selects(r.model.parents[at].selector, agent, r.model.labelsOf(agent)) {
			return true
		}
	}
	return false
}

func (r *round) spoil(at place) string {
	p := r.known(at)
	r.edits++
	r.expectGeneration(p, generation{invalid: true})
	live := r.patchParent(at, map[string]any{"spec": map[string]any{"agentSelector": invalidSelector, "schedule": fmt.Sprintf("@every %ds", r.edits)}})
	r.mu.Lock()
	defer r.mu.Unlock()
	p.invalid = true
	return r.edited(at, p, live) + ", spoilt"
}

func (r *round) deleteParent(n numbers) string {
	at := r.parentBy(n[0])
	if r.known(at) == nil || r.hubGone {
		return "there is no " + at.String()
	}
	r.removeParent(at)
	return at.String()
}

func (r *round) removeParent(at place) {
	r.mu.Lock()
	p := r.model.parents[at]
	delete(r.model.parents, at)
	r.lineages[p.uid].gone = true
	r.mu.Unlock()
	ctx, cancel := request(r.t)
	defer cancel()
	if err := r.w.hub().Canaries(at.namespace).Delete(ctx, at.name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		r.t.Fatalf("delete parent %s: %v", at, err)
	}
}
