#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes the small captures that the tests replay without privileges:
#
#   corpus.sh [VERSION]
#
# The binary records them in a machine of its own, where nothing but the tests' processes is to be seen, and hands them out on its console.
# They go to build/e2e/testdata/corpus; the alerts on them are written by go test ./build/e2e -run Corpus -update.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bin
to=$root/build/e2e/testdata/corpus
kernel=${1:-6.1}

cd "$root"
[ -x "$out/falconet" ] || { echo "corpus: build/bin/falconet is missing: run make build" >&2; exit 1; }
"$here/fetch.sh" "$kernel"
export CGO_ENABLED=0
go build -o "$out/vm" ./build/kernels/vm
go build -o "$out/vm-init" ./build/kernels/init
guest=$out/corpus
rm -rf "$guest"
mkdir -p "$guest"

# The shells are called what the rules know them by; colons keep them from replacing themselves by their last command.
cat >"$guest/make.sh" <<'GUEST'
set -e
mkdir -p /c/d
cd /c
cp /bin/sh e2e-grand
cp /bin/sh e2e-parent
echo secret > secret
name=$1
script=$2
/bin/falconet record -z -w "/c/$name.scap" -o syslog_output.enabled=false "proc.aname = e2e-grand" 2>log &
recorder=$!
until grep -q watching log; do sleep 0.2; done
sleep 1
env -i PATH=/bin:/usr/bin:/sbin D=/c ./e2e-grand -c '"$0" -c "$1; :"; :' ./e2e-parent "$script" >/dev/null 2>&1
sleep 1
kill -INT $recorder
wait $recorder
base64 -w 1000 "/c/$name.scap" | sed "s/^/CAPTURE $name /"
GUEST

make_step() {
	printf '{"name": "%s", "argv": ["/bin/sh", "/corpus/make.sh", "%s", "%s"], "dir": "/", "seconds": 120}' "$1" "$1" "${2//\"/\\\"}"
}
{
	echo '['
	make_step files 'cat secret; exec 5<secret; cat <&5; mkdir d/e; mv secret d/e/s; ln -s d/e/s l; cat l; cat d/../l; cd d; cat e/s; rm e/s ../l; rmdir e; cat /none; chmod 600 /c'
	echo ,
	make_step programs 'id; setpriv --reuid 1000 --regid 1000 --clear-groups id; (cd / && sleep 0.1) & wait; trap : USR1; kill -USR1 $$; unshare -u true; bash -c id | cat'
	echo ,
	make_step sockets 'bash -c "exec 3<>/dev/tcp/127.0.0.1/9"; bash -c "exec 3<>/dev/udp/127.0.0.1/53; echo x >&3"'
	echo ']'
} >"$guest/steps.json"

args=(--init "$out/vm-init" --steps "$guest/steps.json" --timeout 10m --memory 1024 --file "$out/falconet:/bin/falconet" --file "$guest:/corpus")
for p in sh bash cat cp mkdir mv ln rm rmdir chmod id setpriv sleep unshare true grep sed base64 env; do
	args+=(--program "$p")
done
log=$out/corpus.log
"$out/vm" --kernel "$kernel" "${args[@]}" >"$log" 2>&1 || { cat "$log"; exit 1; }
mkdir -p "$to"
for name in files programs sockets; do
	sed -n "s/^.*CAPTURE $name \([A-Za-z0-9+/=]*\).*$/\1/p" "$log" | base64 -d >"$to/$name.scap"
	gzip -t "$to/$name.scap"
done
ls -l "$to"
