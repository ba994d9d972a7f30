#!/usr/bin/env bash
# Makes the image of a command for each architecture that is named, as archives in a folder. Where there is a docker, it loads
# the one for this machine:
#
#     hack/image/build.sh ./cmd/fanout fanout:dev out/image amd64 arm64
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

package=$1 image=$2 folder=$3
shift 3
name=$(basename "$package")
read -r version commit < <(hack/version.sh)
mkdir -p "$folder"
for arch in "$@"; do
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	echo "Building $package for linux/$arch"
	hack/build.sh linux "$arch" "$package" "$dir/$name"
	go -C hack/image run -buildvcs=false . -arch "$arch" -tag "$image" -version "$version" -revision "$commit" \
		-output "$PWD/$folder/$name-linux-$arch.tar" "$dir/$name"
	rm -rf "$dir"
done

here=$folder/$name-linux-$(go env GOARCH).tar
if [[ ! -f $here ]]; then
	:
elif docker version >/dev/null 2>&1; then
	docker load --input "$here"
else
	echo "There is no docker to load it into: docker load --input $here, or kind load image-archive $here"
fi
