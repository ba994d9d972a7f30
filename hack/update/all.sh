#!/usr/bin/env bash
# Runs every script in this directory. Each brings files of the tree up to date, and has a check in hack/verify:
# either one of its own name, or, for a generator, generated.sh. A generator takes the directory to write to, as a tree
# like this one, and writes to this one when none is given. A file beside this one is all that it takes to add one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for script in hack/update/*.sh; do
	[[ $script == */all.sh ]] && continue
	echo "update: $(basename "$script" .sh)"
	"$script"
done
