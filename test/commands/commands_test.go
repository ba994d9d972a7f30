package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIn(t *testing.T) {
	blocks, err := In(strings.Join([]string{
		"# A document", "", "<!-- e2e -->", "", "    fanout check \\", "      --pre", "", "    kubectl get pods", "", "Words, and", "", "    a block that is not run", "",
		"1. In a list:", "", "   <!-- e2e: until api-health -->", "", "       kubectl apply -f - <<EOF", "       a: b", "       EOF", "",
		"   and fenced:", "", "<!-- e2e -->", "```sh", "helm list", "```",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Block{
		{3, "fanout check \\\n  --pre\n\nkubectl get pods\n", ""},
		{16, "kubectl apply -f - <<EOF\na: b\nEOF\n", "api-health"},
		{24, "helm list\n", ""},
	}
	if difference := cmp.Diff(want, blocks); difference != "" {
		t.Errorf("-want +got:\n%s", difference)
	}
}

func TestWhatIsNoMarker(t *testing.T) {
	for _, text := range []string{
		"<!--e2e-->\n\n    true\n", "<!-- e2e: untill x -->\n\n    true\n", "Words <!-- e2e -->\n\n    true\n",
		"<!-- e2e -->\n\nWords\n", "<!-- e2e -->\n", "<!-- e2e -->\n```\nnever ends\n",
	} {
		if blocks, err := In(text); err == nil {
			t.Errorf("%q is taken, as %+v", text, blocks)
		}
	}
}
