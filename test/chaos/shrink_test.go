package chaos

import (
	"slices"
	"testing"
)

func TestShrink(t *testing.T) {
	operations := generate(1, 64, kinds())
	guilty := []operation{operations[7], operations[40]}
	tried := 0
	fails := func(list []operation) bool {
		tried++
		return slices.Contains(list, guilty[0]) && slices.Contains(list, guilty[1])
	}
	if got := shrink(operations, 1000, fails); !slices.Equal(got, guilty) {
		t.Errorf("%v is left", got)
	}
	tried = 0
	if got := shrink(operations, 10, fails); tried != 10 || len(got) >= len(operations) || !fails(got) {
		t.Errorf("after %d attempts %d are left", tried, len(got))
	}
	if got := shrink(operations, 20, func([]operation) bool { return false }); len(got) != len(operations) {
		t.Errorf("nothing failed again, and %d are left", len(got))
	}
}

func TestGenerate(t *testing.T) {
	if !slices.Equal(generate(7, 60, kinds()), generate(7, 60, kinds())) {
		t.Error("one seed gives two rounds")
	}
	if slices.Equal(generate(7, 60, kinds()), generate(8, 60, kinds())) {
		t.Error("two seeds give one round")
	}
	happened := map[string]bool{}
	for seed := range int64(200) {
		for _, o := range generate(seed, 60, kinds()) {
			happened[o.kind] = true
		}
	}
	for _, k := range kinds() {
		if !happened[k.name] {
			t.Errorf("%q never happens", k.name)
		}
	}
}
