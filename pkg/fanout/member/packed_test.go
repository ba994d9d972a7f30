package member

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

// usual is what is remembered of most copies.
var usual = observed{
	uid: "1d6c3e52-9a4e-4c58-b0f3-3d7c0d3b6c11", resourceVersion: "4711", content: "00112233445566778899aabbccddeeff",
	hash: "ffeeddccbbaa99887766554433221100", shared: "http", generation: 3, created: 1_700_000_000, print: 42, terminating: true,
}

// Whatever a member says of a copy comes out as it was put in; only what is as usual is small.
func TestWhatIsPackedComesOutAgain(t *testing.T) {
	if p := pack(&usual); p.whole != nil {
		t.Error("the usual is not packed")
	}
	if p := pack(nil); p.has() || p.unpack() != nil {
		t.Error("nothing is something")
	}
	rapid.Check(t, func(t *rapid.T) {
		odd := func(usual, what string) string {
			return rapid.OneOf(rapid.Just(usual), rapid.SampledFrom([]string{"", "é", "007", "1D6C3E52-9A4E-4C58-B0F3-3D7C0D3B6C11",
				"{1d6c3e52-9a4e-4c58-b0f3-3d7c0d3b6c11}", "0011223344556677889900AABBCCDDEE", "18446744073709551616"}), rapid.String()).Draw(t, what)
		}
		o := usual
		o.uid = types.UID(odd(string(usual.uid), "uid"))
		o.resourceVersion, o.content, o.hash = odd(usual.resourceVersion, "version"), odd(usual.content, "content"), odd(usual.hash, "hash")
		o.generation = rapid.OneOf(rapid.Just(usual.generation), rapid.Int64()).Draw(t, "generation")
		o.created = rapid.OneOf(rapid.Just(usual.created), rapid.Int64()).Draw(t, "created")
		o.terminating = rapid.Bool().Draw(t, "terminating")
		p := pack(&o)
		if diff := cmp.Diff(&o, p.unpack(), cmp.AllowUnexported(observed{})); diff != "" {
			t.Fatalf("(-in +out):\n%s", diff)
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	p := pack(&usual)
	b.ReportAllocs()
	for b.Loop() {
		p.unpack()
	}
}
