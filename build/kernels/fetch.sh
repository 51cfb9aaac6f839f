#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts Debian's kernels into the cache, unpacked, without installing anything:
#
#   fetch.sh 5.10 6.1 6.12
#
# Each ends as CACHE/VERSION/{vmlinuz,config,release,modules/}. The mirror is the one this machine's apt uses;
# apt runs with a private state, so neither the machine's sources nor its package database are touched,
# and packages are checked against Debian's archive keys as always.
set -euo pipefail

cache=${FALCONET_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/falconet-kernels}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "build/kernels/fetch.sh: $*" >&2; exit 1; }

# Debian's releases that carry each kernel series, security updates included.
suites_of() {
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo bookworm trixie ;;
	*) die "no Debian release is known to carry kernel $1 (known: 5.10 6.1 6.12)" ;;
	esac
}

# Every archive address in the machine's sources, one a line, both formats.
mirrors() {
	local files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list)
	cat "${files[@]}" 2>/dev/null |
		sed -nE 's/^[[:space:]]*deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' || true
	cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -nE 's/^URIs:[[:space:]]*//p' | tr -s ' \t' '\n' || true
}

need=()
for v in "$@"; do
	suites_of "$v" >/dev/null
	[ -e "$cache/$v/release" ] || need+=("$v")
done
[ ${#need[@]} -gt 0 ] || exit 0

[ -e "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
main=$(mirrors | grep -E '/debian/?$' | head -1 || true)
security=$(mirrors | grep -E '/debian-security/?$|security' | head -1 || true)
[ -n "$main" ] || die "no Debian mirror in /etc/apt: add one, or put unpacked kernels into $cache/VERSION/{vmlinuz,release}"
# A mirror serves the security archive beside the main one when the machine names none of its own.
security=${security:-${main%/}-security}

mkdir -p "$cache"
work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial "$work"/deb
: >"$work/status"
for v in "${need[@]}"; do
	for s in $(suites_of "$v"); do
		echo "deb [signed-by=$keyring] $main $s main"
		echo "deb [signed-by=$keyring] $security $s-security main"
	done
done | sort -u >"$work/sources.list"

private=(-o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache"
	-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root
	-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o Acquire::Languages=none
	-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=3)
apt-get "${private[@]}" -qq update || die "read the package lists of $main"

for v in "${need[@]}"; do
	name=$(apt-cache "${private[@]}" pkgnames "linux-image-$v." | grep -E -- '-cloud-amd64$' | sort -V | tail -1 || true)
	[ -n "$name" ] || die "no kernel $v in $main: the release that carried it may have left this mirror"
	echo "fetching $name" >&2
	(cd "$work/deb" && apt-get "${private[@]}" -qq download "$name") || die "download $name"
	tree="$work/tree-$v"
	dpkg -x "$work"/deb/"$name"_*.deb "$tree"
	rm -f "$work"/deb/*.deb
	release=${name#linux-image-}
	out="$work/out-$v"
	mkdir -p "$out"
	mv "$tree/boot/vmlinuz-$release" "$out/vmlinuz"
	mv "$tree/boot/config-$release" "$out/config"
	# Below /usr since Debian 13.
	mods=$tree/lib/modules/$release
	[ -d "$mods" ] || mods=$tree/usr/lib/modules/$release
	mv "$mods/kernel" "$out/modules"
	# Loaded by a small init that knows no compression.
	find "$out/modules" -name '*.ko.xz' -exec xz -d {} +
	echo "$release" >"$out/release"
	rm -rf "${cache:?}/$v"
	mv "$out" "$cache/$v"
done
