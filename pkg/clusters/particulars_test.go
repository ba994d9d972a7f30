package clusters

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"k8s.io/utils/clock"
)

func TestVersionOfAServer(t *testing.T) {
	version := func(text string) http.HandlerFunc {
		return answering(http.StatusOK, "application/json", fmt.Sprintf(`{"major":"1","gitVersion":%q}`, text))
	}
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a server's":       {version("v1.35.0"), "v1.35.0"},
		"a vendor's":       {version("v1.34.1-eks-a1b2c3+k3s1"), "v1.34.1-eks-a1b2c3+k3s1"},
		"no version":       {version("latest"), ""},
		"one with markup":  {version("v1<script>"), ""},
		"one on two lines": {version("v1.35.0\nv2"), ""},
		"one that is long": {version("v1" + strings.Repeat("1", 80)), ""},
		"no JSON":          {answering(http.StatusOK, "text/html", "<html>"), ""},
		"no right to it":   {aStatus(http.StatusForbidden, "Forbidden"), ""},
		"what does not end": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.MultiReader(strings.NewReader(`{"a":"`), &endless{}))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			member := serving(t, row.answer)
			client, _ := clientOver(t, member.connect(t, "", "token"))
			k := &keeper{Registry: &Registry{options: Options{ProbeTimeout: patience, Clock: clock.RealClock{}}}}
			asking := k.askVersion(t.Context(), client)
			if got := <-asking.answer; got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			asking.stop()
			if got := member.requests(); len(got) != 1 || got[0] != "token /version" {
				t.Errorf("it was asked for %q", got)
			}
		})
	}
}
