#!/usr/bin/env bash
# Runs the checks in this directory, or those that the arguments name, goes on past a failure, and sums up.
#
#     hack/verify/all.sh [NAME...]
#
# A check is a script that changes nothing, prints what it looks at and, when it fails, what to do. A file beside this
# one is all that it takes to add one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

checks=("$@")
if ((!$#)); then
	for script in hack/verify/*.sh; do
		name=$(basename "$script" .sh)
		[[ $name == all ]] || checks+=("$name")
	done
fi

failed=()
for name in "${checks[@]}"; do
	begin=$SECONDS
	if "hack/verify/$name.sh" </dev/null; then
		echo "   ok, $((SECONDS - begin))s"
	else
		echo "   FAILED, $((SECONDS - begin))s"
		failed+=("$name")
	fi
done
if ((${#failed[@]})); then
	echo "verify: ${#failed[@]} of ${#checks[@]} failed, ${SECONDS}s. Once mended, run: hack/verify/all.sh ${failed[*]}" >&2
	exit 1
fi
echo "verify: all ${#checks[@]} passed, ${SECONDS}s"
