#!/usr/bin/env bash
# Writes axe-core, which audits the accessibility of pages, to the file in $1: one script of a package of npm, of this version and with this
# content. It is a dependency of tests alone.
set -euo pipefail

version=4.14.1
checksum=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c

file=$1
checks() { [[ -e $file ]] && sha256sum --check --status <<<"$checksum  $file"; }
checks && exit
mkdir -p "$(dirname "$file")"
file=$(cd "$(dirname "$file")" && pwd)/$(basename "$file")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm pack --silent "axe-core@$version" >/dev/null
tar -xzf "axe-core-$version.tgz" package/axe.min.js
mv package/axe.min.js "$file"
checks || { echo "axe.sh: axe-core@$version is not what it was" >&2; rm -f "$file"; exit 1; }
