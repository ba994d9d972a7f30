#!/usr/bin/env bash
# Prints the version and the commit that are built, which depend on the commit and its tags alone, and on whether anything was
# changed since: hack/version.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commit=$(git rev-parse --verify --quiet HEAD || echo unknown)
version=$(git describe --tags --match 'v*' 2>/dev/null || echo "v0.0.0-g${commit:0:12}")
[[ -z $(git status --porcelain --untracked-files=no 2>/dev/null) ]] || version+=-dirty
echo "$version $commit"
