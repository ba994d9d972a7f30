package derive

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWithoutZero(t *testing.T) {
	for _, row := range []struct {
		name          string
		value, reduct any
	}{
		{"text", "x", "x"},
		{"zeros", fields{"a": int64(0), "b": false, "c": "", "d": list{}, "e": 0.0}, nil},
		{"no zeros", fields{"a": int64(1), "b": true, "c": " ", "d": list{""}, "e": 0.1}, fields{"a": int64(1), "b": true, "c": " ", "d": list{nil}, "e": 0.1}},
		{"nothing", nil, nil},
		{"an empty object", fields{}, nil},
		{"an object of nothing", fields{"a": nil, "b": fields{"c": fields{}}}, nil},
		{"nothing beside something", fields{"a": nil, "b": "x", "c": fields{"d": fields{}}}, fields{"b": "x"}},
		{"in lists", list{fields{"a": "x", "b": fields{}}, "y"}, list{fields{"a": "x"}, "y"}},
		{"elements stay", list{fields{}, nil, "x"}, list{nil, nil, "x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := (&unstructured.Unstructured{Object: fields{"v": row.value}}).DeepCopy().Object["v"]
			got, _ := withoutZero(row.value)
			mustEqual(t, "reduced", got, row.reduct)
			mustEqual(t, "its argument afterwards", row.value, before)
			if again, _ := withoutZero(got); got != nil {
				mustEqual(t, "reduced again", again, row.reduct)
			}
		})
	}
}
