#!/usr/bin/env bash
# Writes a release of the commit that is checked out into a folder, which it empties first, for all platforms or for those that
# are named:
#
#     hack/release/release.sh out/release linux/amd64
#
# For each platform an archive with the binary, and the list of what is linked into it (SBOM, CycloneDX); for Linux an image; each
# chart; notes; and the checksums of all. It needs bin/helm, from make helm, and GNU tar, and neither a container engine nor a
# registry. Of one commit, with one version of Go, it writes the same files whenever and wherever it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ((!$#)); then
	echo 'say where to: hack/release/release.sh FOLDER [OS/ARCH...]' >&2
	exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
platforms=("$@")
if ((!$#)); then
	platforms=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64)
fi
read -r version commit < <(hack/version.sh)
time=$(git log -1 --format=%ct)
rm -rf "${out:?}"/*
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

say() { printf '%3ds  %s\n' "$SECONDS" "$*"; }

# pack FOLDER ARCHIVE: a tar.gz with no trace of the machine.
pack() {
	tar --format=ustar --sort=name --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -C "$1" -c . | gzip --no-name >"$2"
}

say "Releasing $version ($commit)"
for platform in "${platforms[@]}"; do
	os=${platform%/*} arch=${platform#*/}
	name=fanout-$version-$os-$arch
	say "Building for $os/$arch"
	folder=$staging/$os-$arch binary=fanout
	[[ $os == windows ]] && binary+=.exe
	mkdir "$folder"
	hack/build.sh "$os" "$arch" ./cmd/fanout "$folder/$binary"
	# The list names the tool by its hash, so that the tool, too, has to be the same wherever it is built.
	CGO_ENABLED=0 GOFLAGS=-trimpath go tool -modfile=hack/release/go.mod cyclonedx-gomod bin -json -std -noserial -notimestamp -version "$version" \
		-output "$out/$name.cdx.json" "$folder/$binary"
	if [[ $os == linux ]]; then
		go -C hack/image run -buildvcs=false . -arch "$arch" -tag "fanout:$version" -version "$version" -revision "$commit" \
			-output "$out/$name-image.tar" "$folder/$binary"
	fi
	cp LICENSE README.md "$folder"
	pack "$folder" "$out/$name.tar.gz"
done

cp -R charts "$staging/charts"
find "$staging/charts" -exec touch --date="@$time" {} +
for chart in "$staging"/charts/*/; do
	say "Packing the chart $(basename "$chart")"
	bin/helm package "$chart" --version "${version#v}" --app-version "$version" --destination "$out" >/dev/null
done

say 'Writing checksums and notes'
(cd "$out" && sha256sum -- *) >"$staging/checksums"
mv "$staging/checksums" "$out/fanout-$version-checksums.txt"
last=$(git describe --tags --match 'v*' --abbrev=0 "$commit^" 2>/dev/null || true)
{
	echo "# fanout $version"
	echo
	echo "docs/install.md says how to install it.${last:+ Since $last:}"
	echo
	git log --no-merges --format='- %s' "${last:+$last..}$commit"
} >"$out/release-notes.md"

say "Done, in $out:"
(cd "$out" && du --apparent-size --human-readable -- *)
