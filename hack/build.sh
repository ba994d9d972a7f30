#!/usr/bin/env bash
# Builds a static binary as it is released, of one commit and with one version of Go the same bit for bit, wherever and whenever:
#
#     hack/build.sh linux arm64 ./cmd/fanout out/fanout
set -euo pipefail

os=$1 arch=$2 package=$3 output=$4
read -r version commit < <("$(dirname "${BASH_SOURCE[0]}")/version.sh")
prefix=k8s.io/component-base/version
CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT='' GOFLAGS='' go build -trimpath -buildvcs=false \
	-ldflags "-s -w -X $prefix.gitVersion=$version -X $prefix.gitCommit=$commit" -o "$output" "$package"
