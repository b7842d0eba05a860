#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Tries ./glovebox and its set-up on a machine that is made up: a copy of the scripts in a folder with a space in its name, and
# stand-ins for dpkg-query, apt-get, sudo, node and npm in front of PATH. Nothing is installed and nothing is fetched.
set -uo pipefail
source_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
chmod 755 "$work"
copy="$work/a checkout"
bin="$work/bin"
passed=0 failed=0

expect() {
  local title=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FELL SHORT: $title"
    sed 's/^/    /' "$work/output"
  fi
}
says() { grep -qF -- "$1" "$work/output"; }
silent() { ! says "$1"; }
called() { grep -qF -- "$1" "$work/calls"; }
never_called() { ! called "$1"; }

fake() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$bin/$1"
  chmod 755 "$bin/$1"
}

# A new machine: `cmake` and `clang-tidy-19` are not installed until apt-get has been called.
new_machine() {
  rm -rf -- "$copy" "$bin" "$work/installed"
  mkdir -p "$copy" "$bin"
  cp -r "$source_root"/{glovebox,tools,third_party} "$copy/"
  : >"$work/calls"
  chmod 666 "$work/calls"
  fake dpkg-query "shift 3; for p in \"\$@\"; do case \$p in cmake | clang-tidy-19) [[ -f '$work/installed' ]] || continue ;; esac
    echo \"installed \$p\"; done"
  fake apt-get "echo \"apt-get \$*\" >>'$work/calls'; [[ \$1 != install ]] || touch '$work/installed'"
  fake sudo "echo \"sudo \$*\" >>'$work/calls'; [[ \$1 == -n ]] && shift; exec \"\$@\""
  fake node 'echo v20.1.0'
  fake npm "echo \"npm \$*\" >>'$work/calls'; cp '$work/package.tgz' ./fetched.tgz"
  local hash
  hash=$(python3 -c 'import base64, hashlib, sys
print("sha512-" + base64.b64encode(hashlib.sha512(open(sys.argv[1], "rb").read()).digest()).decode())' "$work/package.tgz")
  sed -i -E "s|sha512-.*|$hash|" "$copy/third_party/integrity.txt"
  chmod -R a+rwX "$copy" "$work"
}

# run COMMAND...: in the copy's world, without a terminal; output and exit code are kept.
run() {
  code=0
  (cd / && PATH="$bin:/usr/bin:/bin" HOME="$work" "$@" </dev/null >"$work/output" 2>&1) || code=$?
}
exits() { ((code == $1)); }

mkdir -p "$work/package/src/duckdb/src/include"
echo library >"$work/package/libduckdb.so"
echo header >"$work/package/src/duckdb/src/include/duckdb.h"
echo records >"$work/package/olympians.csv"
tar -czf "$work/package.tgz" -C "$work" package

user=()
if ((EUID == 0)); then
  user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

new_machine
run "$copy/glovebox" --help
expect "--help works before anything is set up" exits 0
for word in demo serve organisation token probe audit errors 'test [--long]' bench format lint setup; do
  expect "--help lists $word" says "$word"
done
expect "--help sets nothing up" test ! -e "$copy/build/deps"
ln -s "$copy/glovebox" "$work/link"
run "$work/link" help
expect "the wrapper works through a link" says 'test [--long]'

if ((EUID == 0)); then
  run "$copy/glovebox" setup build
  expect "set-up succeeds" exits 0
  expect "only what is missing is installed" called "apt-get install -y --no-install-recommends cmake"
  expect "the lists are brought up to date first" called "apt-get update"
  expect "packages of the tests wait until a test is run" never_called clang-tidy-19
  expect "root needs no sudo" never_called sudo
  expect "the library is unpacked" grep -q library "$copy/build/deps/duckdb/libduckdb.so"
  expect "the header is unpacked" grep -q header "$copy/build/deps/duckdb/duckdb.h"
  expect "the records are unpacked" grep -q records "$copy/build/deps/sample-datasets/olympians.csv"
  : >"$work/calls"
  run "$copy/glovebox" setup build
  expect "a second set-up does nothing" test ! -s "$work/calls"
  echo "build libnew-dev" >>"$copy/tools/apt-packages.txt"
  run "$copy/glovebox" setup build
  expect "a new package in the list is looked for again" exits 0
fi

new_machine
mv "$bin/npm" "$work/npm"
fake node 'exit 127'
fake python3 "if [[ \$1 == -m && \$2 == venv ]]; then mkdir -p \"\$4/bin\"; cp '$work/npm' \"\$4/bin/npm\"; cp \"\$0\" \"\$4/bin/python\"; exit; fi
  if [[ \$1 == -m ]]; then echo \"python \$*\" >>'$work/calls'; exit; fi; exec /usr/bin/python3 \"\$@\""
run "${user[@]}" "$copy/glovebox" setup build
expect "set-up succeeds without Node" exits 0
expect "with an npm from PyPI, checked by hash" called "--require-hashes -r $copy/tools/requirements-node.txt"
expect "which fetches" called "npm pack --loglevel error duckdb@1.4.4"

new_machine
run "${user[@]}" "$copy/glovebox" setup build
expect "an ordinary user's set-up succeeds" exits 0
expect "apt-get runs through sudo" called "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends cmake"

new_machine
fake sudo 'exit 1'
run "${user[@]}" "$copy/glovebox" demo
expect "without a terminal, sudo with a password is an error" exits 1
expect "which says what to do" says "sudo apt-get install cmake"
expect "and nothing was installed" never_called apt-get

new_machine
fake apt-get "echo \"apt-get \$*\" >>'$work/calls'; echo 'Unable to locate package cmake' >&2; exit 100"
run "${user[@]}" "$copy/glovebox" demo
expect "an apt-get that fails is an error" exits 1
expect "with apt-get's own words" says "Unable to locate package cmake"
expect "and a hint" says "Is this Debian 12"

new_machine
sed -i 's|^duckdb .*|duckdb 1.4.4 sha512-AAAA|' "$copy/third_party/integrity.txt"
run "${user[@]}" "$copy/glovebox" demo
expect "a package with another hash is an error" exits 1
expect "which names the file of hashes" says "third_party/integrity.txt says sha512-AAAA"
expect "and it is not unpacked" test ! -e "$copy/build/deps/duckdb/duckdb.h"
expect "nothing is built then" silent "building"

new_machine
fake npm 'echo "no such host" >&2; exit 1'
run "${user[@]}" "$copy/glovebox" demo
expect "an npm without a network is an error" exits 1
expect "which says what npm said" says "no such host"
expect "and what to try" says "fetch @duckdb/node-bindings-linux-x64: failed (exit 1). Can npm reach its registry?"

echo "$passed passed, $failed failed"
((failed == 0))
