#!/usr/bin/env bash
# Runs what in hack/update has no check of its own name, into an empty directory, and compares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'generated: generated files are what their generators write'
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
for generator in hack/update/*.sh; do
	[[ -e hack/verify/$(basename "$generator") ]] || "$generator" "$fresh"
done

stale=
while read -r file; do
	diff -uN "$file" "$fresh/$file" || stale=true
done < <(cd "$fresh" && find . -type f | sort)
if [[ -n $stale ]]; then
	echo 'generated: to generate them anew, type: make update' >&2
	exit 1
fi
