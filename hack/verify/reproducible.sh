#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'reproducible: the same commit gives the same binary in another folder'
other=$(mktemp -d)
trap 'rm -rf "$other"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --target-directory "$other" 2>/dev/null || true # but for deleted ones
git clone --quiet --no-checkout . "$other/history"
mv "$other/history/.git" "$other/.git" # which tells the version

hack/build.sh linux amd64 ./cmd/fanout "$other/here"
(cd "$other" && hack/build.sh linux amd64 ./cmd/fanout "$other/there")
if ! cmp "$other/here" "$other/there"; then
	echo 'reproducible: something of the folder, of the time or of the machine gets into the binary: see hack/build.sh' >&2
	exit 1
fi
