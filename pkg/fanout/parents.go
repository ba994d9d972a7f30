package fanout

import (
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/fanout/member"
	"fanout/pkg/results"
	"fanout/pkg/selector"
)

// parent is a Canary of the hub as the informer keeps it: immutable, its selector parsed once. A Canary
// without an agentSelector is kept too, without its spec: it says that nothing should be derived from it.
type parent struct {
	metav1.Object
	// canary is what is derived from; nil where nothing is.
	canary *unstructured.Unstructured
	// agents is the parsed agentSelector.
	agents selector.Selector
	// invalid is the fault of an agentSelector that does not parse.
	invalid error
	// copies is what all members' copies have in common, and local what the hub's own copy is made of, once asked for.
	copies, local func() *derive.Template
	// digest tells an edit from a mere change of status.
	digest string
	// seen is when fanout learned of this version.
	seen time.Time
	// shown is what its status says, and entries what that says of its agents: only while fanout starts, and only until statuses
	// takes them.
	shown   results.Shown
	entries map[string]*results.Entry
	// reported says that fanout has applied something of its status, and crowded that there is something of it which others have written
	// where fanout writes: see results.Leftovers.
	reported, crowded bool
	// mirror is what is remembered of one that is marked as a mirror, and so is nobody's parent; nil of others.
	mirror *mirror
}

// newParent returns the informer's transform, which trims a Canary of the hub to a *parent. What is read of it before recalling has passed
// has the entries of its status.
func newParent(hubID string, now func() time.Time, recalling time.Time) cache.TransformFunc {
	return func(obj any) (any, error) {
		canary, ok := obj.(*unstructured.Unstructured)
		if !ok {
			return obj, nil // a *parent already: an informer may transform an object twice
		}
		p := &parent{Object: canary, seen: now()}
		if p.mirror = readMirror(canary, hubID); p.mirror != nil {
			p.digest = derive.Hash(canary.GetLabels(), canary.GetAnnotations(), derive.Owner(canary), p.mirror.spec)
			return p, nil
		}
		plain := derive.WithoutRoundTrip(canary.Object["spec"], derive.ManagersOf(canary))
		p.digest = derive.Hash(canary.GetLabels(), canary.GetAnnotations(), "", plain)
		p.reported = derive.ManagesStatus(canary)
		status := canary.Object["status"]
		canary.SetManagedFields(nil)
		delete(canary.Object, "status")
		// A Canary that fanout derived into the hub is nobody's parent, whatever was written into it there,
		// and one that is being deleted asks for nothing any more.
		if canary.GetLabels()[derive.LabelHub] != hubID && canary.GetDeletionTimestamp() == nil {
			patterns, err := agentSelector(canary)
			if err == nil && len(patterns) > 0 {
				p.canary = canary
				p.copies = sync.OnceValue(func() *derive.Template { return derive.NewTemplate(canary, plain, hubID, false) })
				p.local = sync.OnceValue(func() *derive.Template { return derive.NewTemplate(canary, plain, hubID, true) })
				p.agents, err = selector.Parse(patterns)
			}
			p.invalid = err
		}
		if p.canary == nil {
			delete(canary.Object, "spec")
		}
		if p.isParent() {
			p.shown = results.ReadShown(status)
			p.crowded = !p.reported && isCrowded(status)
			if p.seen.Before(recalling) {
				p.entries = results.ReadEntries(status)
			}
		}
		return p, nil
	}
}

// isCrowded tells whether a status that fanout has not written to has times or entries.
func isCrowded(status any) bool {
	fields, _ := status.(map[string]any)
	return fields["lastCheck"] != nil || fields["checkStatus"] != nil
}

// agentSelector reads the field without copying it.
func agentSelector(canary *unstructured.Unstructured) ([]string, error) {
	field, found, err := unstructured.NestedFieldNoCopy(canary.Object, "spec", "agentSelector")
	if err != nil || !found || field == nil {
		return nil, err
	}
	list, ok := field.([]any)
	if !ok {
		return nil, errors.New("spec.agentSelector: not a list of patterns")
	}
	patterns := make([]string, len(list))
	for i, item := range list {
		if patterns[i], ok = item.(string); !ok {
			return nil, fmt.Errorf("spec.agentSelector[%d]: not a string", i)
		}
	}
	return patterns, nil
}

// matches tells whether an agent with those labels should hold what is derived from p; from nil nothing is.
func (p *parent) matches(agent string, labels map[string]string) bool {
	return p != nil && p.canary != nil && p.invalid == nil && p.agents.Matches(agent, labels)
}

// demand says what p asks of the cluster of an agent with those labels, or that nothing should stand there; p may be nil.
func (p *parent) demand(agent string, labels map[string]string) member.Demand {
	switch {
	case p == nil:
		return member.Demand{}
	case p.invalid != nil:
		return member.Demand{Frozen: true, Parent: p.state()}
	case !p.matches(agent, labels):
		return member.Demand{Parent: p.state()}
	}
	template := p.copies
	if agent == derive.LocalAgent {
		template = p.local
	}
	return member.Demand{Copy: template().For(agent), Parent: p.state(), Seen: p.seen}
}

// state is what a member is told of p, which may be nil.
func (p *parent) state() member.Parent {
	switch {
	case p == nil:
		return member.NoParent
	case p.GetDeletionTimestamp() != nil:
		return member.LeavingParent
	default:
		return member.SomeParent
	}
}

// isParent tells whether p has an agentSelector, if only one that does not parse.
func (p *parent) isParent() bool { return p != nil && (p.canary != nil || p.invalid != nil) }

// sameAs tells whether nothing that fanout derives from changed between p and other, which came after it. A generation that
// goes back, as in a hub restored from a backup, is a change: copies may name one that is no more.
func (p *parent) sameAs(other *parent) bool {
	return p.GetUID() == other.GetUID() && p.digest == other.digest && p.state() == other.state() &&
		p.GetGeneration() <= other.GetGeneration()
}

func (p *parent) key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.GetNamespace(), Name: p.GetName()}
}
