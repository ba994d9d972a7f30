#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

complain() {
	echo 'staticcheck: mend what it names ("go tool -modfile=hack/tools/go.mod staticcheck -explain CODE" says why), then type: hack/verify/staticcheck.sh' >&2
	exit 1
}

echo 'staticcheck: it finds neither mistakes nor unused code'
go tool -modfile=hack/tools/go.mod staticcheck ./... || complain
# With the tag, since without it staticcheck analyzes Kubernetes. It leaves out embedded.go.
cd hack/controlplane
CGO_ENABLED=0 go tool -modfile=../tools/go.mod staticcheck -tags kubebuilder ./... || complain
for module in image kind; do
	cd "../$module"
	go tool -modfile=../tools/go.mod staticcheck ./... || complain
done
for module in charts browser; do
	cd "../../test/$module"
	go tool -modfile=../../hack/tools/go.mod staticcheck ./... || complain
done
