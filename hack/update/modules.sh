#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

find . -name go.mod | sort | while read -r file; do
	go -C "$(dirname "$file")" mod tidy
done
