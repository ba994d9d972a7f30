package kubeconfig

import "strings"

// vocabulary is every field that a kubeconfig's sections know, accepted or not.
var vocabulary = []phrase{
	"apiVersion", "kind", "current-context", "contexts", "clusters", "users", "preferences", "extensions",
	"name", "context", "cluster", "user", "namespace",
	"server", "certificate-authority", "certificate-authority-data", "tls-server-name", "insecure-skip-tls-verify",
	"proxy-url", "disable-compression",
	"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile",
	"username", "password", "as", "as-uid", "as-groups", "as-user-extra", "auth-provider", "exec",
}

// lookUp finds the field of the dialect that a key of the file is, or, if not exact, is meant to be: tokenfile, clientKeyData,
// Certificate_Authority. It returns "" for every other key.
func (d *dialect) lookUp(key string) (name phrase, exact bool) {
	for _, known := range d.vocabulary {
		if key == string(known) {
			return known, true
		}
		if squash(key) == squash(string(known)) {
			name = known
		}
	}
	return name, false
}

func squash(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(key))
}
