#!/usr/bin/env bash
# Prints the version and the commit that are built, which depend on the commit and its tags alone: hack/version.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

commit=$(git rev-parse --verify --quiet HEAD || echo unknown)
version=$(git describe --tags --match 'v*' --dirty 2>/dev/null || echo "v0.0.0-${commit:0:12}")
echo "$version $commit"
