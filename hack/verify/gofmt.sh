#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'gofmt: every Go file is formatted and simplified'
unformatted=$(gofmt -s -l .)
if [[ -n $unformatted ]]; then
	echo "$unformatted"
	echo 'gofmt: to format them, type: hack/update/gofmt.sh' >&2
	exit 1
fi
