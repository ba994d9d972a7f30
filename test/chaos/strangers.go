package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/hack/canarychecker/standin"
	"fanout/pkg/fanout/derive"
	"fanout/test/faultproxy"
	"fanout/test/fixture"
)

// spot returns a cluster, and the place in it where the copy of a parent stands, or would.
func (r *round) spot(n numbers) (c *cluster, parent, copied place) {
	c = r.w.clusters[clusterNames[n[0]%len(clusterNames)]]
	parent = r.placeBy(n[1])
	agent := c.Name
	if c.Name == hubCluster {
		agent = local
	}
	return c, parent, parent.copyOf(agent)
}

// strangerComes puts an object of somebody else's where a copy might stand, if nothing stands there.
func (r *round) strangerComes(n numbers) string {
	c, _, at := r.spot(n)
	c.writing.Lock()
	defer c.writing.Unlock()
	return said(c, at, r.createStranger(c, at, n[2]))
}

// strangerTakesOver deletes a copy and puts something else in its place, before fanout does.
func (r *round) strangerTakesOver(n numbers) string {
	c, _, at := r.spot(n)
	return said(c, at, r.replace(c, at, n[2]))
}

func (r *round) replace(c *cluster, at place, variant int) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if r.strangerAt(c, at) != nil {
		return errors.New("a stranger is there")
	}
	if err := r.deleteOurs(c, at); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	r.letGo(c, at)
	return r.createStranger(c, at, variant)
}

// deleteOurs deletes what stands at a place, and notes before that it was the harness.
func (r *round) deleteOurs(c *cluster, at place) error {
	ctx, cancel := request(r.t)
	defer cancel()
	live, err := c.Canaries(at.namespace).Get(ctx, at.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	uid := live.GetUID()
	r.mu.Lock()
	r.objects.ours[string(uid)] = true
	r.mu.Unlock()
	return c.Canaries(at.namespace).Delete(ctx, at.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
}

func (r *round) createStranger(c *cluster, at place, variant int) error {
	ctx, cancel := request(r.t)
	defer cancel()
	canary := fixture.Canary(at.namespace, at.name)
	switch variant % 3 {
	case 0:
		canary.SetLabels(map[string]string{derive.LabelHub: "another-hub", derive.LabelManagedBy: "fanout"})
	case 1:
		canary.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: at.namespace}}
	if _, err := c.Kube.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	live, err := c.Canaries(at.namespace).Create(ctx, canary, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own(c, at, live)
	return nil
}

// own notes that live is a stranger from now on. r.mu is held.
func (r *round) own(c *cluster, at place, live *unstructured.Unstructured) {
	s := r.objects.strangers[string(live.GetUID())]
	if s == nil {
		s = newStranger()
		r.objects.strangers[string(live.GetUID())] = s
	}
	s.cluster, s.place, s.uid = c.Name, at, string(live.GetUID())
	s.from = versionOf(live)
	s.left(live)
	r.objects.standing[c.Name][at] = s
}

// left notes how the harness left the stranger.
func (s *stranger) left(live *unstructured.Unstructured) {
	s.last = live.GetResourceVersion()
	s.versions[versionOf(live)] = true
	s.contents[contentOf(live)] = true
}

func newStranger() *stranger {
	return &stranger{versions: map[uint64]bool{}, contents: map[string]bool{}, seen: map[uint64]string{}}
}

// isHarness tells whether a version is one that the harness left, or canary-checker's work on one.
func (s *stranger) isHarness(version uint64, content string) bool {
	return s.versions[version] || isOneOf(checked, s.cluster) && s.contents[content]
}

// isLast tells whether found is as the harness left it, but for canary-checker's work.
func (s *stranger) isLast(found *unstructured.Unstructured) bool {
	return found.GetResourceVersion() == s.last || isOneOf(checked, s.cluster) && s.contents[contentOf(found)]
}

// contentOf is what an object holds without what canary-checker may change: its finalizer, the status, and zero values.
func contentOf(obj *unstructured.Unstructured) string {
	text, err := json.Marshal([]any{obj.GetLabels(), obj.GetAnnotations(), obj.GetOwnerReferences(), standin.WithoutZeros(obj.Object["spec"])})
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return string(text)
}

func (r *round) strangerAt(c *cluster, at place) *stranger {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.objects.standing[c.Name][at]
}

// strangerBy returns one of a cluster's strangers that has not been handed over.
func (r *round) strangerBy(n numbers) (*cluster, *stranger) {
	for i := range clusterNames {
		c := r.w.clusters[clusterNames[(n[0]+i)%len(clusterNames)]]
		for j := range r.places {
			_, _, at := r.spot(numbers{(n[0] + i) % len(clusterNames), n[1] + j})
			if s := r.strangerAt(c, at); s != nil && !s.adopt {
				return c, s
			}
		}
	}
	return nil, nil
}

func (r *round) strangerEdits(n numbers) string {
	c, s := r.strangerBy(n)
	if s == nil {
		return "there is none"
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	return said(c, s.place, r.patchStranger(c, s, fmt.Sprintf(`{"metadata":{"annotations":{"note":"%d"}}}`, n[2])))
}

func (r *round) patchStranger(c *cluster, s *stranger, patch string) error {
	ctx, cancel := request(r.t)
	defer cancel()
	live, err := c.Canaries(s.place.namespace).Patch(ctx, s.place.name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "somebody"})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.left(live); s.uid != string(live.GetUID()) && !s.adopt {
		r.objects.failures = append(r.objects.failures, &failure{invariant: "strangers", cluster: c.Name, place: s.place, text: "it was replaced"})
	}
	return nil
}

// strangerGoes deletes a stranger. fanout looks again at a place in conflict every 30 s only, so mostly the parent is touched.
func (r *round) strangerGoes(n numbers) string {
	c, s := r.strangerBy(n)
	if s == nil {
		return "there is none"
	}
	c.writing.Lock()
	err := r.deleteStranger(c, s)
	c.writing.Unlock()
	r.touchParentOf(s.place, n[3])
	return said(c, s.place, err)
}

func (r *round) deleteStranger(c *cluster, s *stranger) error {
	r.mu.Lock()
	s.gone = true
	delete(r.objects.standing[c.Name], s.place)
	r.mu.Unlock()
	ctx, cancel := request(r.t)
	defer cancel()
	uid := types.UID(s.uid)
	err := c.Canaries(s.place.namespace).Delete(ctx, s.place.name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	r.letGo(c, s.place)
	return err
}

// letGo takes the finalizers off what is being deleted at a place, whether or not canary-checker is there to do it.
func (r *round) letGo(c *cluster, at place) {
	ctx, cancel := request(r.t)
	defer cancel()
	live, err := c.Canaries(at.namespace).Get(ctx, at.name, metav1.GetOptions{})
	if err == nil && isTerminating(live) && len(live.GetFinalizers()) > 0 {
		_, _ = r.patchCopy(c, live, fmt.Sprintf(`{"metadata":{"uid":%q,"finalizers":null}}`, live.GetUID()))
	}
}

// touchParentOf changes the parent of the copy that would stand at a place, but now and then leaves it to fanout to look.
func (r *round) touchParentOf(copied place, n int) {
	for _, at := range r.places {
		if (at == copied || at.copyOf(local) == copied) && r.known(at) != nil && !r.hubGone && n%25 != 0 {
			r.touch(at)
		}
	}
}

// adopt has a stranger's owner hand it over.
func (r *round) adopt(n numbers) string {
	c, s := r.strangerBy(n)
	if s == nil {
		return "there is none"
	}
	c.writing.Lock()
	r.mu.Lock()
	s.adopt = true
	r.mu.Unlock()
	err := r.patchStranger(c, s, `{"metadata":{"annotations":{"fanout.flanksource.com/adopt":"true"}}}`)
	c.writing.Unlock()
	r.touchParentOf(s.place, n[3])
	return said(c, s.place, err)
}

// strangerBeforeWrite has a stranger come while a write of fanout's is on its way.
func (r *round) strangerBeforeWrite(n numbers) string {
	c, parent, at := r.spot(n)
	r.hold(c, "patch", at, n[2])
	return fmt.Sprintf("%s in %s; %s", at, c.Name, r.parent(parent, []string{"*", "local"}))
}

// strangerBeforeDelete has a stranger take a copy's place while fanout's delete is on its way.
func (r *round) strangerBeforeDelete(n numbers) string {
	c, parent, at := r.spot(n)
	if r.known(parent) == nil || r.hubGone {
		return "there is no " + parent.String()
	}
	r.hold(c, "delete", at, n[2])
	if n[3]%2 == 0 {
		r.removeParent(parent)
		return fmt.Sprintf("%s in %s; deleted the parent", at, c.Name)
	}
	return fmt.Sprintf("%s in %s; %s", at, c.Name, r.parent(parent, []string{"nobody"}))
}

func (r *round) hold(c *cluster, verb string, at place, variant int) {
	match := faultproxy.Match{Verb: verb, Resource: derive.Canaries.Resource, Namespace: at.namespace, Name: at.name}
	r.holds = append(r.holds, c.proxy.BeforeNext(match, func() {
		r.note("held a "+verb, said(c, at, r.replace(c, at, variant)))
	}))
}

// said puts the outcome of something into words. Errors are part of the game: the CRD or the namespace may not be there.
func said(c *cluster, at place, err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("%s in %s: took too long", at, c.Name)
	case err != nil:
		return fmt.Sprintf("%s in %s: not done: %v", at, c.Name, err)
	default:
		return fmt.Sprintf("%s in %s", at, c.Name)
	}
}
