package kubeconfig

import "testing"

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"kind.yaml", "rancher.yaml"} {
		data := fill(fixtures(b, "accepted")[name])
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustParse(b, data)
			}
		})
	}
}
