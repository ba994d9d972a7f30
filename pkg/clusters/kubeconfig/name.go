package kubeconfig

import "strings"

const (
	maxPrintableName = 100
	// maxWord is the longest word of letters, or of digits (an AWS account, a project number), in a printable name.
	maxWord = 20
	// maxMixedWord is the longest word of letters and digits together. The secret half of a bootstrap token has 16.
	maxMixedWord = 11
)

// printable reports whether a name out of the file may appear in an error. The name of a context, cluster or user
// is no secret, but a token may stand in its place by mistake. Printable is what names look like: kind-dev,
// kubernetes-admin@prod, gke_project_europe-west1_prod, arn:aws:eks:eu-west-1:123456789012:cluster/prod. Words that are
// long, or that mix letters and digits beyond a cluster's usual suffix, look like a credential, and so does every
// upper-case letter, since base64 is hardly without.
func printable(name string) bool {
	if name == "" || len(name) > maxPrintableName {
		return false
	}
	var letters, digits int
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z':
			letters++
		case '0' <= c && c <= '9':
			digits++
		case strings.IndexByte("-._@:/", c) >= 0:
			letters, digits = 0, 0
		default:
			return false
		}
		if letters+digits > maxWord || letters > 0 && digits > 0 && letters+digits > maxMixedWord {
			return false
		}
	}
	return true
}
