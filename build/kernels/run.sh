#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Boots a kernel in a throw-away virtual machine, runs one static program in it as root, and exits as it did:
#
#   build/kernels/run.sh --kernel 5.10 -- ./probe.test -test.v
#
# build/kernels/vm lists the options (--help). Kernels are fetched at first use.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bin
mkdir -p "$out"

# `go run` would turn every exit code into 1.
(cd "$root" && CGO_ENABLED=0 go build -o "$out/vm" ./build/kernels/vm && CGO_ENABLED=0 go build -o "$out/vm-init" ./build/kernels/init)

prev=
for arg in "$@"; do
	[ "$arg" = -- ] && break
	case $arg in --kernel=*) "$here/fetch.sh" "${arg#*=}" ;; esac
	if [ "$prev" = --kernel ]; then "$here/fetch.sh" "$arg"; fi
	prev=$arg
done
exec "$out/vm" --init "$out/vm-init" "$@"
