#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'boundaries: no package imports what it should not know'
if ! go test -count=1 ./test/boundaries; then
	echo 'boundaries: move the code to where it may know that; the rules are in test/boundaries. Then type: hack/verify/boundaries.sh' >&2
	exit 1
fi
