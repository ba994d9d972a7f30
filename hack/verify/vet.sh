#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

complain() {
	echo 'vet: mend what go vet names, then type: hack/verify/vet.sh' >&2
	exit 1
}

echo 'vet: go vet finds nothing suspicious'
go vet ./... || complain
# With the tag, since without it vet compiles Kubernetes. It leaves out embedded.go.
cd hack/controlplane
CGO_ENABLED=0 go vet -tags kubebuilder ./... || complain
for module in image kind; do
	cd "../$module"
	go vet ./... || complain
done
for module in charts browser; do
	cd "../../test/$module"
	go vet ./... || complain
done
