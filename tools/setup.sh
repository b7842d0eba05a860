#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings in what the build needs (`setup.sh build`), beside that Databricks' client (`setup.sh demo`), and beside that what the
# tests need (`setup.sh test`): Debian packages, and npm and PyPI packages pinned by version and hash, unpacked under
# build/deps. What is there already is left alone: every step leaves a stamp with the hash of its inputs. Called by ./glovebox.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
deps="$root/build/deps"
stamps="$deps/.stamps"

fresh() { [[ -f "$stamps/$1" && $(<"$stamps/$1") == "$2" ]]; }
stamp() { printf '%s\n' "$2" >"$stamps/$1"; }

# missing_packages GROUP: the names of the group's packages that are not installed.
missing_packages() {
  local wanted installed
  wanted=$(awk -v group="$1" '$1 == group {print $2}' "$root/tools/apt-packages.txt" | sort -u)
  # shellcheck disable=SC2086,SC2016  # the list is words; the format is dpkg-query's own
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | awk '$1 == "installed" {print $2}' | sort -u)
  comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$installed") | xargs
}

as_root() {
  if ((EUID == 0)); then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

apt_install() {
  as_root apt-get update || echo "apt-get update failed; trying with the lists that are there"
  as_root apt-get install -y --no-install-recommends "$@"
}

ask_for_root() {
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || die "needs these Debian packages, and neither root nor sudo is at hand. As root: apt-get install $*"
  sudo -n true 2>/dev/null && return 0
  [[ -t 0 && -t 2 ]] || die "needs these Debian packages, and sudo asks for a password. Run: sudo apt-get install $*"
  say "sudo is needed once to install Debian packages: $*"
  sudo -v || die "without sudo, have an administrator run: apt-get install $*"
}

# apt GROUP
apt() {
  local group=$1 missing hash
  hash=$(hash_of "$root/tools/apt-packages.txt")
  if ! command -v dpkg-query >/dev/null; then
    fresh "apt-$group" "$hash" || say "this is not Debian: make sure of what tools/apt-packages.txt names ($group)"
    stamp "apt-$group" "$hash"
    return
  fi
  missing=$(missing_packages "$group")
  if [[ -n $missing ]]; then
    # shellcheck disable=SC2086  # a list of words
    ask_for_root $missing
    say "installing Debian packages: $missing"
    # shellcheck disable=SC2086
    step "apt-get install" "Is this Debian 12 with main enabled, and can apt reach its archive? Try: apt-get install $missing" apt_install $missing || exit 1
    missing=$(missing_packages "$group")
    [[ -z $missing ]] || die "apt-get succeeded, but these are still missing: $missing"
  fi
  stamp "apt-$group" "$hash"
}

# A python3 that can make virtual environments: the first of PATH, or Debian's.
python_with_venv() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  die "needs Python 3.10 or newer with venv. On Debian: apt-get install python3-venv"
}

make_venv() {
  local folder=$1 requirements=$2 python
  python=$(python_with_venv)
  rm -rf -- "$folder"
  "$python" -m venv -- "$folder" &&
    "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r "$requirements"
}

# venv NAME REQUIREMENTS: build/deps/NAME with these packages and no others.
venv() {
  local hash
  hash="$(hash_of "$root/tools/$2") $deps"  # an environment knows its own place
  if fresh "$1" "$hash" && "$deps/$1/bin/python" -c '' 2>/dev/null; then
    return
  fi
  step "python packages $1" "Can pip reach its index? A hash that differs means that a package is not the one we tested." \
    make_venv "$deps/$1" "$root/tools/$2" || exit 1
  stamp "$1" "$hash"
}

# An npm of Node 20 or newer: the machine's, or one from PyPI in an environment of its own. Puts it first in PATH.
npm_in_path() {
  local major
  major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p') || major=
  if [[ -n $major ]] && ((major >= 20)) && command -v npm >/dev/null; then
    return
  fi
  venv node-venv requirements-node.txt
  PATH="$deps/node-venv/bin:$PATH"
}

# npm_fetch NAME VERSION HASH TARGET: downloads one tarball, checks it, unpacks the named files into the folder TARGET.
npm_fetch() {
  local name=$1 version=$2 hash=$3 target=$4 work found
  shift 4
  work=$(mktemp -d "$deps/.fetch.XXXXXX") || return 1
  (cd "$work" && npm pack --loglevel error "$name@$version") || return 1
  found=$(python3 -c 'import base64, hashlib, sys
print("sha512-" + base64.b64encode(hashlib.sha512(open(sys.argv[1], "rb").read()).digest()).decode())' "$work"/*.tgz) || return 1
  if [[ $found != "$hash" ]]; then
    rm -rf -- "$work"
    echo "$name@$version has the hash $found, but third_party/integrity.txt says $hash. It was not unpacked."
    return 1
  fi
  tar -xzf "$work"/*.tgz -C "$work" -- "${@/#/package/}" && mkdir -p "$target" || return 1
  local file
  for file in "$@"; do
    touch "$work/package/$file" && mv -f -- "$work/package/$file" "$target/$(basename "$file")" || return 1
  done
  rm -rf -- "$work"
}

# npm_package NAME TARGET FILE...: FILEs of the package are in build/deps/TARGET.
npm_package() {
  local name=$1 target="$deps/$2" version hash key file complete=1
  shift 2
  read -r version hash < <(awk -v name="$name" '$1 == name {print $2, $3}' "$root/third_party/integrity.txt")
  [[ -n $hash ]] || die "third_party/integrity.txt has no line for $name"
  key="npm-$(tr -c 'a-z0-9\n' '-' <<<"$name")"
  for file in "$@"; do
    [[ -f "$target/$(basename "$file")" ]] || complete=
  done
  if [[ -n $complete ]] && fresh "$key" "$hash"; then
    return
  fi
  npm_in_path
  step "fetch $name" "Can npm reach its registry? Behind a proxy with a certificate of its own, set NODE_EXTRA_CA_CERTS." \
    npm_fetch "$name" "$version" "$hash" "$target" "$@" || exit 1
  stamp "$key" "$hash"
}

main() {
  local group=${1:-build}
  mkdir -p "$deps" "$stamps"
  rm -rf -- "$deps"/.fetch.*
  [[ $(uname -sm) == "Linux x86_64" ]] || die "builds on Linux x86_64 only; this is $(uname -sm)"
  apt build
  npm_package @duckdb/node-bindings-linux-x64 duckdb libduckdb.so
  npm_package duckdb duckdb src/duckdb/src/include/duckdb.h
  npm_package @observablehq/sample-datasets sample-datasets olympians.csv
  case $group in
    build) ;;
    demo) venv venv requirements.txt ;;
    test)
      apt test
      venv venv requirements.txt
      ;;
    *) die "no such group: $group; there are build, demo and test" ;;
  esac
}
main "$@"
