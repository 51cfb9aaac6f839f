#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs what building (and, with --test, testing) needs on Debian: packages by apt where they are missing, and a Go where none
# that is new enough is found. It changes nothing when all is there. Prints the directory of Go's binaries on the last line.
set -euo pipefail
cd "$(dirname "$0")/.."

# The Go that is fetched when the machine has none: the toolchain as the module mirror serves it.
go_version=1.26.8
go_sha256=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

packages="gcc binutils make git ca-certificates musl-tools clang-19 llvm-19 libbpf-dev linux-libc-dev"
[ "${1:-}" = --test ] && packages="$packages qemu-system-x86 cpio busybox-static docker.io podman lxc python3-minimal util-linux rsyslog rsyslog-openssl logrotate prometheus"

missing=
if command -v dpkg-query >/dev/null; then
	for p in $packages; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
	done
else
	for c in gcc make git musl-gcc clang-19 llvm-strip-19; do
		command -v $c >/dev/null || die "'$c' is missing and this is not Debian: install gcc, make, git, musl (musl-gcc), clang 19 and llvm 19, and libbpf's headers with your package manager"
	done
fi
if [ -n "$missing" ]; then
	[ "$(id -u)" = 0 ] || die "these packages are missing:$missing; run as root, or install them with: apt-get install$missing"
	say "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >&2
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

# new_enough GO: is it a Go that go.mod accepts?
new_enough() {
	have=$("$1" env GOVERSION 2>/dev/null) || return 1
	want=go$(sed -n 's/^go //p' go.mod)
	[ "$(printf '%s\n%s\n' "$want" "${have%% *}" | sort -V | head -n 1)" = "$want" ]
}

dir=$HOME/.cache/falconet-go/$go_version
for go in "$(command -v go || true)" /usr/local/go/bin/go "$dir/bin/go"; do
	if [ -n "$go" ] && [ -x "$go" ] && GOTOOLCHAIN=local new_enough "$go"; then
		dirname "$go"
		exit 0
	fi
done
say "no Go that is new enough was found: fetching $go_version to $dir"
for c in curl unzip; do
	command -v $c >/dev/null && continue
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || die "$c is missing, and without it Go $go_version has to be installed by hand"
	apt-get install -y -qq --no-install-recommends $c >/dev/null
done
mirror=${GOPROXY:-https://proxy.golang.org}
mirror=${mirror%%[,|]*}
name=v0.0.1-go$go_version.linux-amd64
mkdir -p "$dir"
curl -fsSL -o "$dir.zip" "$mirror/golang.org/toolchain/@v/$name.zip" || die "Go cannot be fetched: install Go $go_version or later by hand"
echo "$go_sha256  $dir.zip" | sha256sum -c --quiet - >&2 || die "the Go that was fetched has another checksum"
unzip -q -o -d "$dir.tmp" "$dir.zip"
cp -r "$dir.tmp/golang.org/toolchain@$name/." "$dir"
chmod -R u+w "$dir"
chmod +x "$dir"/bin/* "$dir"/pkg/tool/linux_amd64/*
rm -rf "$dir.tmp" "$dir.zip"
echo "$dir/bin"
