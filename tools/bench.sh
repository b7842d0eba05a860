#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh [NAME...]: builds bench/*_bench.cc optimised and runs them, one after the other, on this machine.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
compgen -G 'bench/*_bench.cc' >/dev/null || die "there is no bench/*_bench.cc"
tools/build.sh release all_bench
printf 'machine: %s, %s cores, %s GB, Linux %s, %s\n' \
  "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
  "$(awk '/^MemTotal:/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)" "$(uname -r)" "$(c++ --version | head -n 1)"
printf 'commit: %s\n' "$(git describe --always --dirty 2>/dev/null || echo unknown)"
if (($# == 0)); then
  mapfile -t names < <(find bench -name '*_bench.cc' -printf '%f\n' | sort | sed 's/_bench\.cc$//')
  set -- "${names[@]}"
fi
for name in "$@"; do
  printf '\n'
  "build/release/${name}_bench"
done
