#!/usr/bin/env bash
# Builds the control plane binary to the file OUT. With KUBEBUILDER_ASSETS set, the binary runs the etcd and kube-apiserver
# found there, and builds in seconds.
set -euo pipefail

out=${1:?usage: build.sh OUT}
mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
cd "$(dirname "${BASH_SOURCE[0]}")"
# The same environment always, so that the build cache serves whoever calls.
export CGO_ENABLED=0 GOFLAGS='-mod=readonly -buildvcs=false' GOWORK=off

if [[ -n ${KUBEBUILDER_ASSETS:-} ]]; then
	exec go build -tags kubebuilder -o "$out" .
fi

version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${version#v*.}
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
done

# progress reads what go build -v prints: a line for each package that it compiles, and none when all is up to date.
progress() {
	local compiled=0 line total
	while read -r line; do
		if [[ $line == *[[:space:]]* ]]; then
			echo "$line" >&2
			continue
		fi
		compiled=$((compiled + 1))
		if ((compiled == 20)); then
			total=$(go list -deps . | wc -l)
			echo "compiling a real kube-apiserver $version from Go modules: about 8 minutes on two cores, once" >&2
		fi
		if ((compiled % 100 == 0)); then
			echo "  $compiled of $total packages, ${SECONDS}s" >&2
		fi
	done
}

go build -v -ldflags "$ldflags" -o "$out" . 2>&1 | progress
