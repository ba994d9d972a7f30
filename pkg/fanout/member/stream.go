package member

import (
	"errors"
	"fmt"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"

	"fanout/pkg/fanout/answers"
	"fanout/pkg/results"
)

// stream reads the events of a watch. It decodes only what is new, and each event once, where client-go's own watch reads each nine times
// over: of a Canary whose status changes, as it does in every member every few seconds, nothing but the status is decoded.
type stream struct {
	*Member
	events *answers.Events
}

// streamBuffer is small: there is one for each member, mostly empty.
const streamBuffer = 1 << 10

func (m *Member) newStream(body io.Reader) *stream {
	return &stream{Member: m, events: answers.NewEvents(body, streamBuffer)}
}

// sighting is a Canary as a watch brings it.
type sighting struct {
	key     types.NamespacedName
	version string
	// observed is what is remembered of it, nil where it went.
	observed *observed
	// said is what it says of how it fares, nil where it went.
	said *results.Result
	// endsList is set in the bookmark that ends the list with which a watch began.
	endsList bool
}

// errUnreadable says that a watch can't be gone on with, since it was not understood.
var errUnreadable = errors.New("the watch of derived Canaries can't be read")

// next returns the next event. Where the server ends the watch it says so by an error, io.EOF where it has no reason to give.
func (s *stream) next() (watch.EventType, *sighting, error) {
	kind, object, err := s.events.Next()
	if err != nil {
		return "", nil, err
	}
	g := glanceAt(object)
	seen := &sighting{key: g.key, version: g.version}
	switch kind {
	case watch.Added, watch.Modified:
		seen.observed, err = s.sight(&g)
		seen.said = s.readStatus(&g)
	case watch.Deleted:
	case watch.Bookmark:
		seen.endsList = g.annotations.Get(strings.ReplaceAll(metav1.InitialEventsAnnotationKey, ".", `\.`)).Str == "true"
	case watch.Error:
		status := &metav1.Status{}
		if err := json.Unmarshal([]byte(object), status); err != nil {
			return "", nil, fmt.Errorf("%w: it ended with an error that is no Status: %w", errUnreadable, err)
		}
		return "", nil, apierrors.FromObject(status)
	default:
		err = fmt.Errorf("%w: it brought an event of type %.20q", errUnreadable, string(kind))
	}
	return kind, seen, err
}

// list returns the list with which the watch begins, and its version.
func (s *stream) list() (list map[types.NamespacedName]*sighting, version string, err error) {
	list = map[types.NamespacedName]*sighting{}
	for {
		kind, seen, err := s.next()
		switch {
		case err != nil:
			return nil, "", err
		case kind == watch.Deleted:
			delete(list, seen.key)
		case kind != watch.Bookmark:
			list[seen.key] = seen
		case seen.endsList:
			return list, seen.version, nil
		}
	}
}

// sight is what is remembered of what g shows. It is decoded where it shows something new that is not what the hub asks for: the
// watch may bring a write before the write is answered.
func (s *stream) sight(g *glance) (*observed, error) {
	if known := s.view.get(g.key); known != nil && known.print == g.print {
		return g.since(known), nil
	}
	select {
	case <-s.hub.Synced():
		if o := g.asSent(s.hub.Demand(g.key).Copy); o != nil {
			return o, nil
		}
	default:
	}
	decoded, err := g.decode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return g.of(decoded), nil
}
