package kubeconfig

import (
	"strings"
	"testing"
)

func TestAcceptedCorpus(t *testing.T) {
	for name, fixture := range fixtures(t, "accepted") {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, fill(fixture))
			if want := expectation(t, fixture, "server"); c.Server() != want {
				t.Errorf("server %s, want %s", c.Server(), want)
			}
			if got, want := c.accepted().credentials(), expectation(t, fixture, "credentials"); got != want {
				t.Errorf("credentials %q, want %q", got, want)
			}
			mustHoldAllowedFieldsOnly(t, c)
			mustShowNothing(t, c)
		})
	}
}

func TestRefusedCorpus(t *testing.T) {
	for name, fixture := range fixtures(t, "refused") {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(fixture, "{{MARKER}}") {
				t.Error("the fixture has no marker to leak")
			}
			refused := mustRefuse(t, fill(fixture))
			if got, want := refused.fields(), expectation(t, fixture, "refused"); got != want {
				t.Errorf("refused for %s\nwant          %s\n%v", got, want, refused)
			}
		})
	}
}
