package member

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"fanout/pkg/fanout/derive"
	"fanout/pkg/results"
)

// maxFound is more than etcd holds of one object.
const maxFound = 4 << 20

// Find reads what stands at key in the member now, whoever's it is; nil where nothing does. The member's credentials are in neither the
// object nor the error.
func (m *Member) Find(ctx context.Context, key types.NamespacedName) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, m.options.RequestTimeout)
	defer cancel()
	body, err := m.rest.Get().AbsPath("apis", derive.Canaries.Group, derive.Canaries.Version).
		Namespace(key.Namespace).Resource(derive.Canaries.Resource).Name(key.Name).Stream(ctx)
	switch {
	case isCRDMissing(err):
		return nil, errors.New("the member has no CRD of Canaries")
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, m.unread(key, err)
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxFound+1))
	if err == nil && len(text) > maxFound {
		err = fmt.Errorf("the answer is longer than %d bytes", maxFound)
	}
	if err != nil {
		return nil, m.unread(key, err)
	}
	found := &unstructured.Unstructured{}
	if err := found.UnmarshalJSON(text); err != nil {
		return nil, m.unread(key, errors.New("the answer is no Canary")) // the error would repeat it
	}
	found.Object, _ = m.without(found.Object).(map[string]any)
	return found, nil
}

// without returns a value of JSON without the member's credentials.
func (m *Member) without(value any) any {
	switch value := value.(type) {
	case string:
		return m.redacted(value)
	case []any:
		for i, element := range value {
			value[i] = m.without(element)
		}
	case map[string]any:
		for key, field := range value {
			delete(value, key)
			value[m.redacted(key)] = m.without(field)
		}
	}
	return value
}

func (m *Member) unread(key types.NamespacedName, err error) error {
	const longest = 400
	return fmt.Errorf("read Canary %s: %s", key, results.Clip(m.redacted(err.Error()), longest))
}

// Lacking is why nothing can be heard from the member although it can be reached; zero where it can.
func (m *Member) Lacking() results.Condition { return m.lacking() }
