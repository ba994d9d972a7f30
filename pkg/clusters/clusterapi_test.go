package clusters

import (
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// A 404 is about one Cluster where it is the API server's answer to the question for it, and not where the server does not know
// the path.
func TestAbsentIsNotUnknown(t *testing.T) {
	clusters := schema.GroupResource{Group: clusterAPIGroup, Resource: "clusters"}
	for what, row := range map[string]struct {
		err    error
		absent bool
	}{
		"no such Cluster":  {apierrors.NewNotFound(clusters, "eu"), true},
		"no such resource": {apierrors.NewGenericServerResponse(http.StatusNotFound, "get", clusters, "eu", "404 page not found", 0, true), false},
		"no such right":    {apierrors.NewForbidden(clusters, "eu", nil), false},
		"no answer":        {errUnlisted, false},
	} {
		if got := isAbsent(row.err); got != row.absent {
			t.Errorf("%s: %t", what, got)
		}
	}
}
