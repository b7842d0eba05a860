#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh SECONDS [TARGET...]: builds the fuzz targets and lets each run that long. tests/fuzz/corpus/TARGET/ seeds a target; a crash
# that was mended becomes a file there. New inputs are kept in build/fuzz/corpus, what crashes in build/fuzz/crashes.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
seconds=$1
shift
if (($# == 0)); then
  mapfile -t targets < <(find tests/fuzz -name '*_fuzz.cc' -printf '%f\n' | sort | sed 's/\.cc$//')
  set -- "${targets[@]}"
fi
tools/build.sh fuzz "$@"

fuzz_one() {
  local target=$1 seeds="tests/fuzz/corpus/$1" log="build/logs/fuzz-$1.log" status=0
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/crashes build/logs
  local folders=("build/fuzz/corpus/$target")
  [[ ! -d $seeds ]] || folders+=("$seeds")
  "build/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$target-" "${folders[@]}" >"$log" 2>&1 || status=$?
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  ((status == 0)) || tail -n 40 "$log"
  return "$status"
}

passed=0 failed=0 running=()
for target in "$@" ''; do
  # Two at a time.
  while ((${#running[@]} >= 2)) || [[ -z $target && ${#running[@]} -gt 0 ]]; do
    if wait "${running[0]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    running=("${running[@]:1}")
  done
  [[ -z $target ]] || { fuzz_one "$target" & running+=($!); }
done
echo "$passed passed, $failed failed"
((failed == 0))
