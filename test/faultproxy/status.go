package faultproxy

import (
	"encoding/json"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// writeStatus answers request as an API server would with that code.
func writeStatus(w http.ResponseWriter, code int, request Request) {
	const retryAfter = 1 // s
	failure := apierrors.NewGenericServerResponse(code, request.Verb, schema.GroupResource{Resource: request.Resource}, request.Name,
		"the fault proxy answers", 0, false)
	if code == http.StatusTooManyRequests {
		failure = apierrors.NewTooManyRequests("the fault proxy answers", retryAfter)
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	failure.ErrStatus.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	body, err := json.Marshal(failure.ErrStatus)
	if err != nil {
		panic(http.ErrAbortHandler) // a Status can always be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
