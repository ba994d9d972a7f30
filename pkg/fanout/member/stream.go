package member

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"

	"fanout/pkg/fanout/derive"
)

// follow watches what the options select. It decodes only what is new, and each event once, where client-go's own watch reads each
// nine times over: of a status that changes, as it does in every member every few seconds, nothing is decoded at all.
func (m *Member) follow(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	body, err := m.rest.Get().AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version, derive.Canaries.Resource).
		SpecificallyVersionedParams(&options, metav1.ParameterCodec, schema.GroupVersion{Version: "v1"}).
		Stream(ctx)
	if err != nil {
		return nil, err
	}
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), &stream{body, bufio.NewReader(body), m.view},
		apierrors.NewClientErrorReporter(http.StatusInternalServerError, http.MethodGet, "ClientWatchDecoding")), nil
}

// stream decodes a watch's events: one on a line, as API servers send them.
type stream struct {
	body  io.Closer
	lines *bufio.Reader
	view  *view
}

var _ watch.Decoder = (*stream)(nil)

// Close implements watch.Decoder.
func (s *stream) Close() { s.body.Close() }

// Decode implements watch.Decoder.
func (s *stream) Decode() (watch.EventType, runtime.Object, error) {
	line, err := s.line()
	if err != nil {
		return "", nil, err
	}
	kind, object := watch.EventType(""), ""
	gjson.Parse(line).ForEach(func(field, value gjson.Result) bool {
		switch field.Str {
		case "type":
			kind = watch.EventType(value.Str)
		case "object":
			object = value.Raw
		}
		return true
	})
	switch kind {
	case watch.Added, watch.Modified:
		seen, err := s.view.sight(glanceAt(object))
		return kind, seen, err
	case watch.Deleted:
		g := glanceAt(object)
		return kind, &sighting{key: g.key, version: g.version}, nil
	case watch.Bookmark:
		g := glanceAt(object)
		last := g.annotations.Get(strings.ReplaceAll(metav1.InitialEventsAnnotationKey, ".", `\.`)).Str == "true"
		return kind, &sighting{version: g.version, isLast: last}, nil
	case watch.Error:
		status := &metav1.Status{}
		if err := json.Unmarshal([]byte(object), status); err != nil {
			return "", nil, fmt.Errorf("the watch ended with an error that is no Status: %w", err)
		}
		return kind, status, nil
	default:
		return "", nil, fmt.Errorf("the watch brought an event of type %.20q", string(kind))
	}
}

// line returns the next line that holds something.
func (s *stream) line() (string, error) {
	for {
		line, err := s.lines.ReadString('\n')
		switch {
		case strings.TrimSpace(line) == "" && err != nil:
			return "", err
		case err == io.EOF:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case strings.TrimSpace(line) != "":
			return line, nil
		}
	}
}

// sight is what g shows, decoded where it shows something new.
func (v *view) sight(g glance) (*sighting, error) {
	s := &sighting{key: g.key, version: g.version}
	if known := v.get(g.key); known != nil && known.print == g.print {
		s.observed = g.since(known)
		return s, nil
	}
	decoded, err := g.decode()
	if err != nil {
		return nil, err
	}
	s.observed = g.of(decoded)
	return s, nil
}
