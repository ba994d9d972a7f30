package clusters

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

func TestNoticeRestore(t *testing.T) {
	yes := true
	away := errors.New("away")
	for _, row := range []struct {
		name    string
		options metav1.ListOptions
		version string // of the server
		err     error  // of the server
		listed  bool
		watched bool
		expired bool
	}{
		{"further on", metav1.ListOptions{ResourceVersion: "10"}, "12", nil, true, true, false},
		{"the same", metav1.ListOptions{ResourceVersion: "10"}, "10", nil, true, true, false},
		{"back in time", metav1.ListOptions{ResourceVersion: "10"}, "9", nil, true, false, true},
		{"back by a digit", metav1.ListOptions{ResourceVersion: "1000"}, "999", nil, true, false, true},
		{"versions that are no numbers", metav1.ListOptions{ResourceVersion: "10"}, "x", nil, true, true, false},
		{"a watch from any version", metav1.ListOptions{}, "9", nil, false, true, false},
		{"a streamed list", metav1.ListOptions{ResourceVersion: "10", SendInitialEvents: &yes}, "9", nil, false, true, false},
		{"the server is away", metav1.ListOptions{ResourceVersion: "10"}, "", away, true, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			listed, watched := false, false
			lw := NoticeRestore(&cache.ListWatch{
				ListWithContextFunc: func(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
					listed = options.Limit == 1 && options.ResourceVersion == ""
					list := &unstructured.UnstructuredList{}
					list.SetResourceVersion(row.version)
					return list, row.err
				},
				WatchFuncWithContext: func(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
					watched = options.ResourceVersion == row.options.ResourceVersion
					return watch.NewFake(), nil
				},
			})
			_, err := lw.WatchWithContext(t.Context(), row.options)
			if listed != row.listed || watched != row.watched || apierrors.IsResourceExpired(err) != row.expired || row.err != nil && !errors.Is(err, row.err) {
				t.Errorf("listed: %t, watched: %t, error: %v", listed, watched, err)
			}
		})
	}
}
