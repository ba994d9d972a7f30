package fanout

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// mirrored is what was written of a mirror.
type mirrored struct {
	whole, shape results.Digest
	at           time.Time
	// restored is when it was last put back, so often in a row.
	restored time.Time
	often    int
}

// writeAll brings the mirrors of the parent at key, which is p where there is one, to those wanted.
func (m *mirrors) writeAll(ctx context.Context, p *parent, key types.NamespacedName, wanted map[types.NamespacedName]results.Line) {
	m.mu.Lock()
	var gone []types.NamespacedName
	for place := range m.of[key] {
		if _, stays := wanted[place]; !stays {
			gone = append(gone, place)
		}
	}
	m.mu.Unlock()
	var writing sync.WaitGroup
	defer writing.Wait()
	turns := make(chan struct{}, mirrorRequests)
	start := func(place types.NamespacedName, write func() (again time.Duration, err error)) {
		turns <- struct{}{}
		writing.Go(func() {
			defer func() { <-turns }()
			again, err := write()
			switch {
			case ctx.Err() != nil:
				return
			case apierrors.IsConflict(err), apierrors.IsNotFound(err):
				klog.FromContext(ctx).V(2).Info("Mirror is another by now", "canary", place, "err", err)
				again = time.Second // unless the hub's watch tells sooner
			case err != nil:
				if m.failing.Swap(true) {
					klog.FromContext(ctx).V(2).Info("Still not all mirrors are written", "canary", place, "err", err)
				} else {
					klog.FromContext(ctx).Error(err, "Write mirror", "canary", place)
				}
				again = mirrorRetry
			default:
				m.failing.Store(false)
			}
			if again > 0 {
				m.mu.Lock()
				m.lookAfter(key, again)
				m.mu.Unlock()
			}
		})
	}
	for _, place := range gone {
		start(place, func() (time.Duration, error) { return 0, m.remove(ctx, place) })
	}
	for place, line := range wanted {
		start(place, func() (time.Duration, error) { return m.write(ctx, p, place, line) })
	}
}

// remove deletes the mirror at place as it was seen there.
func (m *mirrors) remove(ctx context.Context, place types.NamespacedName) error {
	there := m.at(place)
	if there == nil || there.mirror == nil || !there.mirror.isOurs || there.GetDeletionTimestamp() != nil {
		return nil
	}
	uid, version := there.GetUID(), there.GetResourceVersion()
	body, err := json.Marshal(metav1.DeleteOptions{
		TypeMeta:      metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
		Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	if err := m.client.Delete().AbsPath(pathOf(place)...).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error(); err != nil {
		return fmt.Errorf("delete mirror %s: %w", place, err)
	}
	return nil
}

// write brings the mirror at place to show line, and returns after what time to look again.
func (m *mirrors) write(ctx context.Context, p *parent, place types.NamespacedName, line results.Line) (again time.Duration, err error) {
	want := derive.Mirror(p.canary, line.Name, m.options.HubID)
	there := m.at(place)
	var uid types.UID
	switch {
	case there == nil:
		answer, err := m.apply(ctx, place, want.Object, "", derive.NoVersion)
		if err != nil {
			return 0, err
		}
		uid = types.UID(gjson.Get(answer, "metadata.uid").Str)
		there = &parent{mirror: &mirror{}}
	case there.mirror == nil, !there.mirror.isOurs, there.GetDeletionTimestamp() != nil, line.Unknown:
		return 0, nil // it is told when that is otherwise
	default:
		uid = there.GetUID()
		if differs, extra := derive.MirrorDiffers(there, there.mirror.spec, want); differs {
			if wait := m.restoring(place); wait > 0 {
				return wait, nil
			}
			version := there.GetResourceVersion()
			if len(extra) > 0 {
				if version, err = m.takeOut(ctx, place, extra, uid, version); err != nil {
					return 0, err
				}
			}
			if _, err := m.apply(ctx, place, want.Object, uid, version); err != nil {
				return 0, err
			}
		}
	}
	return m.show(ctx, place, there, uid, &line)
}

// show has the status of the mirror, which was seen to be there, show line, if that is due.
func (m *mirrors) show(ctx context.Context, place types.NamespacedName, there *parent, uid types.UID, line *results.Line) (again time.Duration, err error) {
	status := line.Status()
	whole, shape := results.ReadLine(status)
	now := m.options.Clock.Now()
	m.mu.Lock()
	last := m.written[place]
	m.mu.Unlock()
	shown, shape0 := there.mirror.whole, there.mirror.shape
	if !last.at.IsZero() && !there.seen.IsZero() && there.seen.Before(last.at) && now.Sub(last.at) < mirrorRetry {
		shown, shape0 = last.whole, last.shape // the watch is late
	}
	if shown == whole {
		return 0, nil
	}
	pause := mirrorPause
	if shape0 != shape {
		pause = results.TransitionPause
	}
	if due := last.at.Add(pause); !last.at.IsZero() && due.After(now) {
		return due.Sub(now), nil
	}
	object := map[string]any{"apiVersion": derive.Canaries.GroupVersion().String(), "kind": derive.Kind, "status": status}
	if _, err := m.apply(ctx, place, object, uid, "", "status"); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	last.whole, last.shape, last.at = whole, shape, m.options.Clock.Now()
	m.written[place] = last
	return 0, nil
}

// restoring notes that a mirror is put back, unless that has been so too often of late: then it returns how long to wait.
func (m *mirrors) restoring(place types.NamespacedName) (wait time.Duration) {
	const least, most = time.Second, 5 * time.Minute
	m.mu.Lock()
	defer m.mu.Unlock()
	now, last := m.options.Clock.Now(), m.written[place]
	if now.Sub(last.restored) > 2*most {
		last.often = 0
	}
	if due := last.restored.Add(min(least<<min(last.often, 10), most)); last.often > 0 && due.After(now) {
		return due.Sub(now)
	}
	last.restored, last.often = now, last.often+1
	m.written[place] = last
	return 0
}

// takeOut takes fields out of the mirror's spec that others put there, and returns its version then.
func (m *mirrors) takeOut(ctx context.Context, place types.NamespacedName, extra []string, uid types.UID, version string) (string, error) {
	spec := map[string]any{}
	for _, field := range extra {
		spec[field] = nil
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid, "resourceVersion": version}, "spec": spec})
	if err != nil {
		return "", err
	}
	answer, err := m.patch(ctx, types.MergePatchType, place, body)
	return gjson.Get(answer, "metadata.resourceVersion").Str, err
}

// apply is a server-side apply of object to what has that uid and version at place; either may be empty.
func (m *mirrors) apply(ctx context.Context, place types.NamespacedName, object map[string]any, uid types.UID, version string, subresource ...string) (string, error) {
	metadata := map[string]any{"namespace": place.Namespace, "name": place.Name}
	if given, ok := object["metadata"].(map[string]any); ok {
		for field, value := range given {
			metadata[field] = value
		}
	}
	if uid != "" {
		metadata["uid"] = uid
	}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	sent := map[string]any{"metadata": metadata}
	for field, value := range object {
		if field != "metadata" {
			sent[field] = value
		}
	}
	body, err := json.Marshal(sent)
	if err != nil {
		return "", err
	}
	return m.patch(ctx, types.ApplyPatchType, place, body, subresource...)
}

func (m *mirrors) patch(ctx context.Context, kind types.PatchType, place types.NamespacedName, body []byte, subresource ...string) (string, error) {
	answer, err := m.patchCanary(ctx, kind, place, body, subresource...)
	if err != nil {
		return "", fmt.Errorf("write mirror %s: %w", place, err)
	}
	return answer, nil
}
