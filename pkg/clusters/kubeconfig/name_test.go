package kubeconfig

import (
	"strings"
	"testing"
)

func TestPrintable(t *testing.T) {
	for name, want := range map[string]bool{
		"default":                true,
		"kind-eu-west":           true,
		"kubernetes-admin@kind":  true,
		"admin@example.com":      true,
		"c-m-7xk9f":              true,
		"gke_my-project_eu_prod": true,
		"arn:aws:eks:eu-west-1:123456789012:cluster/prod": true,
		"default/api-crc-testing:6443/kube:admin":         true,

		"":                                     false,
		"Prod":                                 false,
		"a b":                                  false,
		"a\nb":                                 false,
		"a]":                                   false,
		"a\x1b[31m":                            false,
		"prod-ü":                               false,
		marker:                                 false,
		strings.Repeat("a-", 60):               false,
		strings.Repeat("a", 21):                false,
		"abcdef.0123456789abcdef":              false, // a bootstrap token
		"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWI": false,
		"sha256~dmj4kjlkj3l4kjlkjsdf":          false,
		"kubeconfig-user-x:l5kvw8r2tq9xz7c4b6": false,
		"9f86d081884c7d659a2feaa0c55ad015":     false,
	} {
		t.Run(name, func(t *testing.T) {
			if got := printable(name); got != want {
				t.Errorf("printable = %t", got)
			}
		})
	}
}

// TestUnknownFieldIsNotShown names a field only in words of the vocabulary.
func TestUnknownFieldIsNotShown(t *testing.T) {
	for key, want := range map[string]string{
		"tokenfile":           "write it `tokenFile`, or remove it",
		"clientKeyData":       "write it `client-key-data`, or remove it",
		"Client_Key-Data":     "write it `client-key-data`, or remove it",
		"Token":               "write it `token`, or remove it",
		"hunter":              "remove it",
		"tokn":                "remove it",
		"eyJhbGciOi" + marker: "remove it",
		"server":              "move or remove it",
	} {
		t.Run(key, func(t *testing.T) {
			refused := mustRefuse(t, kubeconfig(goodCluster, goodUser+"\n"+key+": x"))
			if got := refused.Faults[0].Fix; got != want || refused.Faults[0].Line != 13 {
				t.Errorf("%v", refused)
			}
			if strings.Contains(refused.Error(), key) && key != "server" {
				t.Errorf("shown: %v", refused)
			}
		})
	}
}
