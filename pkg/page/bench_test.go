package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"k8s.io/utils/clock"
)

// What a moment costs: the first view of it, and one more that differs from others.
func BenchmarkPage(b *testing.B) {
	source := sample(1000, 100)
	for name, address := range map[string]string{
		"matrix": "/", "groups": "/?by=region&columns=groups", "trouble": "/?state=trouble", "canary": "/canaries/search/dns?by=region", "agent": "/agents/us-west-prod-1",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost"+address, nil)
		b.Run("agents=1000/canaries=100/"+name+"/first", func(b *testing.B) {
			for b.Loop() {
				p := New(source, clock.RealClock{})
				w := httptest.NewRecorder()
				p.ServeHTTP(w, r)
				b.ReportMetric(float64(w.Body.Len()), "bytes")
			}
		})
	}
	b.Run("agents=1000/canaries=100/matrix/again", func(b *testing.B) {
		p := New(source, clock.RealClock{})
		s := p.snapshot(context.Background())
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		for b.Loop() {
			s.fragments = map[string]*fragment{}
			s.fragment(r, matrixView)
		}
	})
}
