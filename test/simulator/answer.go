package simulator

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// buffers are what answers are written into.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// begin sets the headers that an API server sets.
func begin(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Audit-Id", newUID())
	header.Set("Cache-Control", "no-cache, private")
	header.Set("Content-Type", "application/json")
	header.Set("X-Kubernetes-Pf-Flowschema-Uid", "1b6d3f0e-7a43-4c0c-9a0e-6f3f6f4f8a11")
	header.Set("X-Kubernetes-Pf-Prioritylevel-Uid", "8f1c7f44-3d52-4d6f-b9c4-0c6e4b9e3d22")
}

// answerObject answers with a Canary.
func (m *member) answerObject(w http.ResponseWriter, code int, o *object) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	*buffer = o.appendTo((*buffer)[:0])
	*buffer = append(*buffer, '\n')
	begin(w)
	w.Header().Set("Content-Length", strconv.Itoa(len(*buffer)))
	w.WriteHeader(code)
	_, _ = w.Write(*buffer)
}

// answer answers with anything else, or with an error.
func (m *member) answer(w http.ResponseWriter, value any, err error) {
	code := http.StatusOK
	if err != nil {
		status := statusOf(err)
		value, code = status, int(status.Code)
	}
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // all that is answered can be encoded
	}
	begin(w)
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}

// statusOf is what an API server makes of an error.
func statusOf(err error) *metav1.Status {
	status := metav1.Status{Status: metav1.StatusFailure, Code: http.StatusInternalServerError, Message: err.Error()}
	var known apierrors.APIStatus
	if errors.As(err, &known) {
		status = known.Status()
	}
	status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return &status
}

// compressed is how long an answer has to be for an API server to compress it.
const compressed = 128 << 10

var gzips = sync.Pool{New: func() any {
	writer, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // a constant
	}
	return writer
}}

// answerLong answers with what may be compressed.
func answerLong(w http.ResponseWriter, r request, body []byte) {
	begin(w)
	w.Header().Set("Vary", "Accept-Encoding")
	if len(body) < compressed || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	writer := gzips.Get().(*gzip.Writer)
	defer gzips.Put(writer)
	writer.Reset(w)
	_, _ = writer.Write(body)
	_ = writer.Close()
}

// newUID is a new object's.
func newUID() string { return uuid.NewString() }
