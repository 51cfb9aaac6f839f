#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the release binary and the tests that need a kernel to watch on every kernel that falconet supports:
#
#   matrix.sh [VERSION...]
#
# On each: falconet doctor; a real start, real alerts and the cases of the shipped rules (build/e2e); every row of the event table (probe/live); what its programs cost the verifier.
# Exits with 1 when anything fails; what a machine printed is shown then, and kept in build/bin/matrix-VERSION.log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bin
kernels=("$@")
[ ${#kernels[@]} -gt 0 ] || kernels=(5.10 6.1 6.12)
# Two processors in each machine, so that events of several meet; no more machines at once than this one has processors.
parallel=${MATRIX_PARALLEL:-$(nproc)}

cd "$root"
[ -x "$out/falconet" ] || { echo "matrix: build/bin/falconet is missing: run make build" >&2; exit 1; }
"$here/fetch.sh" "${kernels[@]}"

export CGO_ENABLED=0
guest=$out/guest
rm -rf "$guest"
mkdir -p "$guest/programs"
go build -o "$out/vm" ./build/kernels/vm
go build -o "$out/vm-init" ./build/kernels/init
go test -c -o "$guest/live.test" ./probe/live
go test -c -o "$guest/e2e.test" ./build/e2e
go build -ldflags '-s -w' -o "$guest/programs/act" ./build/e2e/testdata/act
GOARCH=386 go build -ldflags '-s -w' -o "$guest/programs/act386" ./build/e2e/testdata/act
GOARCH=386 go build -ldflags '-s -w' -o "$guest/programs/trigger32" ./probe/live/testdata/trigger32

# The machine's tests find the repository's files where their working directory says.
cat >"$guest/steps.json" <<'STEPS'
[
  {"name": "doctor", "argv": ["/bin/falconet", "doctor"], "seconds": 60},
  {"name": "alerts", "argv": ["/tests/e2e.test", "-test.timeout", "25m", "-test.run", "^(TestScenarios|TestRules|TestEvasions|TestLongPaths|TestHeld|TestArgMismatch|TestReloadUnderLoad|TestCapabilities)$"], "dir": "/repo/build/e2e", "seconds": 1500,
   "env": ["FALCONET_BIN=/bin/falconet", "FALCONET_E2E_PROGRAMS=/tests/programs", "FALCONET_REQUIRE_PRIVILEGED=1", "FALCONET_REQUIRE_32BIT=1"]},
  {"name": "event table", "argv": ["/tests/live.test", "-test.timeout", "25m", "-test.run", "^(TestRows|TestPathsOfNames|TestPathsInsideAnotherRoot|TestSelfIsExcluded|TestLossIsCounted|TestRequests.*|TestOtherTable|TestCallsOfSocketcall|TestCallsThatShareANumber|TestOrigins|TestHeldAtEntry|TestNothingIsHeldOn|TestChange)$"], "dir": "/repo/probe/live", "seconds": 1500,
   "env": ["FALCONET_TRIGGER32=/tests/programs/trigger32", "FALCONET_REQUIRE_PRIVILEGED=1", "FALCONET_REQUIRE_32BIT=1"]},
  {"name": "verifier", "argv": ["/tests/live.test", "-test.v", "-test.run", "^TestProgramsAreCheapToVerify$"], "dir": "/repo/probe/live", "seconds": 600,
   "env": ["FALCONET_REQUIRE_PRIVILEGED=1"]},
  {"name": "loss", "argv": ["/tests/live.test", "-test.timeout", "25m", "-test.run", "^(TestCount|TestDropFailed|TestStormIsInOrder)$"], "dir": "/repo/probe/live", "seconds": 1200,
   "env": ["FALCONET_FLOOD=100000", "FALCONET_REQUIRE_PRIVILEGED=1"]}
]
STEPS

programs=(sh cat ls ln mkdir cp mv rm touch chmod chown chroot echo true readlink id unshare mount umount setpriv passwd chage script sleep bash dpkg rmdir)
args=(--init "$out/vm-init" --steps "$guest/steps.json" --timeout 75m --memory 2048 --module overlay
	--file "$out/falconet:/bin/falconet" --file "$guest:/tests" --file "$root/embed:/repo/embed"
	--file "$root/build/e2e/testdata:/repo/build/e2e/testdata" --file "$root/probe/live/testdata:/repo/probe/live/testdata")
for p in "${programs[@]}"; do
	args+=(--program "$p")
done

# A machine that stops without a verdict gets a second try, and says so: that is the emulator's doing more often than the kernel's.
boot() {
	local k=$1 log=$out/matrix-$1.log
	if ! "$out/vm" --kernel "$k" "${args[@]}" >"$log" 2>&1 && grep -q 'stopped before its plan was done' "$log"; then
		echo "$k  stopped without a verdict, once more"
		mv "$log" "$log.first"
		"$out/vm" --kernel "$k" "${args[@]}" >"$log" 2>&1 || true
	fi
	if grep -q "^$k  *done " "$log" && ! grep -q "^$k  *FAIL " "$log"; then
		grep -E "^$k +(ok|FAIL|done) " "$log"
		sed -n "s/^.*_test.go:[0-9]*: program /$k   /p" "$log"
	else
		cat "$log"
		return 1
	fi
}

failed=0
running=()
for k in "${kernels[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$parallel" ]; do wait -n || failed=1; done
	boot "$k" &
done
while [ "$(jobs -p | wc -l)" -gt 0 ]; do wait -n || failed=1; jobs >/dev/null; done
exit $failed
