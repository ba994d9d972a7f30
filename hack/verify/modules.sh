#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'modules: go.mod and go.sum of every module are tidy, and the module cache holds what go.sum says'
failed=
while read -r file; do
	directory=$(dirname "$file")
	if ! go -C "$directory" mod tidy -diff; then
		echo "modules: to tidy $directory, type: hack/update/modules.sh" >&2
		failed=true
	fi
	# A module path without a dot, as this repository's own is, can't have been downloaded: go says that its hash is missing.
	if verified=$(go -C "$directory" mod verify 2>&1 | grep -v -e '^fanout v0\.0\.0: missing ziphash' -e '^all modules verified$' -e '^go: downloading ' -e '^$'); then
		echo "$verified"
		echo 'modules: to download what differs again, type: go clean -modcache' >&2
		failed=true
	fi
done < <(find . -name go.mod | sort)
[[ -z $failed ]]
