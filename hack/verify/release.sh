#!/usr/bin/env bash
# A release for this machine's kind is made twice, the second time of a copy in another folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

echo 'release: it holds what it promises, and the same commit gives the same files in another folder'
complain() {
	echo "release: $1: see hack/release/release.sh, then type: hack/verify/release.sh" >&2
	exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/copy here=$work/here there=$work/there
git clone --quiet --no-checkout . "$copy" # which tells the version
git -C "$copy" reset --quiet
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
	[[ ! -e $file ]] || cp --parents --target-directory "$copy" "$file"
done
make --silent helm
ln -s "$PWD/bin" "$copy/bin"

arch=$(go env GOARCH)
hack/release/release.sh "$here" "linux/$arch" >"$work/log" || { cat "$work/log"; complain 'it fails'; }
(cd "$copy" && umask 077 && TZ=Pacific/Auckland GOFLAGS=-buildvcs=false hack/release/release.sh "$there" "linux/$arch") >"$work/log" || { cat "$work/log"; complain 'it fails in another folder'; }
diff -r "$here" "$there" || complain 'something of the folder, the time or the machine gets into it'

read -r version commit < <(hack/version.sh)
name=fanout-$version-linux-$arch
for chart in charts/*/; do
	charts+=("$(basename "$chart")-${version#v}.tgz")
done
diff <(printf '%s\n' "$name".{tar.gz,cdx.json} "$name-image.tar" "${charts[@]}" "fanout-$version-checksums.txt" release-notes.md | sort) \
	<(cd "$here" && printf '%s\n' * | sort) || complain 'it holds other files than it should'
(cd "$here" && sha256sum --check --quiet "fanout-$version-checksums.txt") || complain 'the checksums are not those of the files'
(($(wc -l <"$here/fanout-$version-checksums.txt") == 3 + ${#charts[@]})) || complain 'a file has no checksum'

tar -xzf "$here/$name.tar.gz" -C "$work"
[[ $("$work/fanout" version) == "fanout $version, commit $commit, "* ]] || complain 'the binary does not know its version'
for chart in "${charts[@]}"; do
	grep -qx "version: ${version#v}" <(bin/helm show chart "$here/$chart") || complain "the chart $chart has another version"
done
client=$(go list -m -f '{{.Version}}' k8s.io/client-go)
grep -qF "pkg:golang/k8s.io/client-go@$client?" "$here/$name.cdx.json" || complain "what is linked in does not name client-go $client"
! grep -qF "$PWD" "$work/fanout" "$here/$name.cdx.json" || complain 'something names the folder it was made in'
grep -qF "$version" "$here/release-notes.md" || complain 'the notes do not name the version'
