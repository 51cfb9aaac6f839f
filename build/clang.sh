#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints the name of a clang-19 that is exactly the one that made embed/probe/probe.o (embed/probe/clang.txt).
#
# Where the installed one is another build, Debian's packages of the right one are unpacked into a cache, unless they are no longer to be had.
# Nothing is installed, and the machine's own sources are not changed.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "build/clang.sh: $*" >&2; exit 1; }

want=$(cat embed/probe/clang.txt)
have=$(clang-19 --version 2>/dev/null | head -n 1 || true)
if [ "$have" = "$want" ]; then
	echo clang-19
	exit 0
fi
trouble="embed/probe/probe.o was made by '$want', here is '${have:-no clang-19}'"

# "Debian clang version 19.1.7 (3~deb12u1)" is package version 1:19.1.7-3~deb12u1.
version=$(sed -nE 's/^Debian clang version ([0-9.]+) \((.*)\)$/1:\1-\2/p' <<<"$want")
[ -n "$version" ] || die "$trouble: install that one, or run make probe and commit the result"
case $version in
*deb12*) suite=bookworm ;;
*) suite=trixie ;;
esac

# Without the epoch: library paths have no way to write a colon.
dir=${XDG_CACHE_HOME:-$HOME/.cache}/falconet-clang/${version#*:}
if [ ! -x "$dir/clang-19" ]; then
	command -v apt-get >/dev/null || die "$trouble: install that one, or run make probe and commit the result"
	echo "build/clang.sh: $trouble; fetching it" >&2
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
	mkdir -p "$(dirname "$dir")"
	work=$(mktemp -d "$dir.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial "$work"/deb "$work"/tree
	: >"$work/status"
	for line in "debian $suite" "debian-security $suite-security"; do
		echo "deb [signed-by=$keyring] http://deb.debian.org/${line% *} ${line#* } main"
	done >"$work/sources.list"
	private=(-o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache"
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o Acquire::Languages=none -o Acquire::Retries=3)
	apt-get "${private[@]}" -qq update >&2 || die "read Debian's package lists"
	(cd "$work/deb" && apt-get "${private[@]}" -qq download clang-19="$version" libclang-cpp19="$version" libllvm19="$version" \
		libclang-common-19-dev="$version" llvm-19="$version" >&2) || die "$trouble, which Debian no longer has: run make probe and commit the result"
	for deb in "$work"/deb/*.deb; do
		dpkg -x "$deb" "$work/tree"
	done
	cat >"$work/clang-19" <<-EOT
		#!/bin/sh
		LD_LIBRARY_PATH=$dir/tree/usr/lib/x86_64-linux-gnu exec $dir/tree/usr/lib/llvm-19/bin/clang "\$@"
	EOT
	chmod +x "$work/clang-19"
	rm -rf "$work/deb" "$work/state" "$work/cache"
	mv -T "$work" "$dir"
	trap - EXIT
fi
have=$("$dir/clang-19" --version | head -n 1)
[ "$have" = "$want" ] || die "$dir/clang-19 is '$have' and not '$want'"
echo "$dir/clang-19"
