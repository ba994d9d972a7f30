package kubeconfig

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// FuzzParse looks at arbitrary files. What is accepted is https, holds allowed fields only, and is what client-go reads
// in the same file; what is refused says so in words of this package.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"accepted", "refused"} {
		for _, fixture := range fixtures(f, dir) {
			f.Add(fill(fixture))
		}
	}
	known := make([]string, len(vocabulary))
	for i, name := range vocabulary {
		known[i] = regexp.QuoteMeta(string(name))
	}
	step := `(` + strings.Join(known, "|") + `)(\[\d+\]|\[name=[a-z0-9._@:/-]{1,100}\])?`
	field := regexp.MustCompile(`^(` + step + `(\.` + step + `)*)?$`)
	printed := regexp.MustCompile(`^kubeconfig\([a-z0-9.:\[\]-]+, (client certificate|token|password)( and (token|password))?\)$`)

	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			refused := mustRefuse(t, data)
			if len(refused.Faults) > maxFaults || len(err.Error()) > 8<<10 {
				t.Errorf("%d faults, %d bytes of text", len(refused.Faults), len(err.Error()))
			}
			for _, fault := range refused.Faults {
				if !field.MatchString(fault.Field) {
					t.Errorf("field %q", fault.Field)
				}
			}
			return
		}
		if len(data) > MaxSize {
			t.Errorf("accepted %d bytes", len(data))
		}
		if u, err := url.Parse(c.Server()); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("server %q", c.Server())
		}
		if !printed.MatchString(c.String()) {
			t.Errorf("printed as %q", c)
		}
		mustHoldAllowedFieldsOnly(t, c)
		mustBeAnEnd(t, c)
		mustAgreeWithClientGo(t, c, data)
	})
}
