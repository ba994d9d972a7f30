#!/usr/bin/env bash
# Runs every fuzz target in pkg/ for FUZZTIME, one after the other, until one finds something.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

output=$(mktemp)
trap 'rm -f "$output"' EXIT
grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' pkg | sort | while IFS=: read -r file target; do
	target=${target#func }
	package=./$(dirname "$file")
	echo "fuzz: $target in $package for ${FUZZTIME:=30s}"
	# An input that reaches something new is made smaller before anything else is tried: by default for a minute, which is all
	# the time there is. So it is bounded by attempts.
	if ! go test -run '^$' -fuzz "^$target\$" -fuzzminimizetime 100x -fuzztime "$FUZZTIME" "$package" </dev/null 2>&1 | tee "$output"; then
		# Where the time ends amid an attempt, Go before 1.27 may fail with these words and no input: golang.org/issue/75804.
		if grep -qx '    context deadline exceeded' "$output" && ! grep -qE 'Failing input|panic:|DATA RACE|_test\.go:' "$output"; then
			echo "fuzz: the time was up amid an attempt; nothing was found"
			continue
		fi
		echo "fuzz: $target failed. Commit the input that it wrote to $package/testdata/fuzz with the fix." >&2
		exit 1
	fi
done
