#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test.sh [--long] [FILTER]: builds, then runs every kind of test, a line a stage, and ends with 'N passed, M failed'.
# FILTER is the name of a stage, or a part of the names of unit tests. --long adds ThreadSanitizer, the static analyzer,
# mutants, the optimised build, long fuzzing, crash loops and many cases a property. A stage that ran nothing has failed.
# Logs are under build/logs.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
export LC_ALL=C.UTF-8
python="$root/build/deps/venv/bin/python"
core=(base crypto ledger query privacy store catalog statement notebook)
stages=(scripts layers tidy format wrapper build unit scenarios property probe e2e crash sanitizers fuzz clang-tidy)
long=0 filter='' passed=0 failed=0
fuzz_seconds=10 crash_rounds=2 property_params='' tidy_seconds=${GLOVEBOX_TIDY_SECONDS:-240}

for argument in "$@"; do
  case $argument in
    --long)
      long=1 property_params=max_success=1000 fuzz_seconds=${GLOVEBOX_FUZZ_SECONDS:-120} crash_rounds=20 tidy_seconds=100000
      stages+=(threads bench mutation analyzer)
      ;;
    -h | --help) sed -n '4,7s/^# //p' tools/test.sh && exit ;;
    -*) die "test: unknown option $argument; there is --long" ;;
    *) filter=$argument ;;
  esac
done

# results NAME COMMAND...: runs test programs that write JUnit XML, and counts their cases.
results() {
  local folder="$root/build/results/$1" status=0
  shift
  rm -rf -- "$folder" && mkdir -p "$folder"
  GTEST_OUTPUT="xml:$folder/" "$@" || status=$?
  python3 tools/count_results.py "$folder"
  return "$status"
}

# unit_tests PRESET PART...: those of the parts that have tests.
unit_tests() {
  local preset=$1 part targets=() names
  shift
  for part in "$@"; do
    [[ -d tests/unit/$part && -d src/$part ]] && targets+=("${part}_test")
  done
  tools/build.sh "$preset" "${targets[@]}" || return 1
  names=$(IFS='|' && echo "${targets[*]/%_test/}")
  results "$preset" ctest --preset "$preset" -R "^unit\.($names)$"
}

stage_build() { GLOVEBOX_KEEP_GOING=0 tools/build.sh dev all && echo "1 passed, 0 failed"; }
stage_unit() { results unit ctest --preset dev -R '^unit\.'; }
stage_scenarios() { results scenarios ctest --preset dev -R '^scenarios$'; }
stage_property() { RC_PARAMS=${RC_PARAMS:-$property_params} results property ctest --preset dev -R '^property\.'; }
stage_probe() { tests/probe/run.sh; }
stage_e2e() { results e2e "$python" -m pytest -q -p no:cacheprovider --junitxml build/results/e2e/e2e.xml tests/e2e; }
stage_layers() { python3 tools/check_layers.py --self-test && python3 tools/check_layers.py && echo "1 passed, 0 failed"; }
stage_tidy() { python3 tools/check_tidy.py --self-test && python3 tools/check_tidy.py && echo "1 passed, 0 failed"; }
stage_format() { tools/format.sh --check; }
stage_scripts() { tools/check_scripts.sh; }
stage_wrapper() { tests/wrapper/run.sh; }
stage_sanitizers() { unit_tests fuzz "${core[@]}"; }
stage_fuzz() { tools/fuzz.sh "$fuzz_seconds"; }
stage_clang-tidy() {
  tools/build.sh fuzz build.ninja || return 1
  if ((long)); then set -- --all; else set --; fi
  python3 tools/clang_tidy.py --seconds "$tidy_seconds" "$@" build/fuzz
}
stage_analyzer() { tools/build.sh fuzz build.ninja && python3 tools/clang_tidy.py --all --analyzer build/fuzz; }
# Confined workers cannot carry the sanitizer: the tests of what surrounds them start those of another build, and those
# that confine a child of their own are left out.
stage_threads() {
  GTEST_FILTER='-*BarrierTest*' GLOVEBOX_TEST_WORKER="$root/build/dev/engine_test" \
    unit_tests tsan "${core[@]}" http engine room api app
}
# The optimised build has warnings of its own; the benchmarks run, on few rows.
stage_bench() {
  tools/build.sh release glovebox all_bench || return 1
  local source name good=0
  for source in bench/*_bench.cc; do
    name=$(basename "$source" .cc)
    "build/release/$name" 200000 || return 1
    good=$((good + 1))
  done
  echo "$good passed, 0 failed"
}
stage_mutation() { python3 tools/mutate.py --seconds "${GLOVEBOX_MUTATION_SECONDS:-600}"; }
stage_crash() { GLOVEBOX_CRASH_ROUNDS=$crash_rounds tests/crash/run.sh; }

# run_stage NAME: one line, and on failure the end of its log, indented.
run_stage() {
  local name=$1 log="$root/build/logs/test-$1.log" start status=0 good bad
  start=$(date +%s%N)
  logged "$log" "$name" "stage_$name" || status=$?
  good=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*$/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
  bad=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*$/\2/p' "$log" | awk '{n += $1} END {print n + 0}')
  if ((good + bad == 0)); then
    echo "this stage ran nothing" >>"$log"
    bad=1
  elif ((status != 0 && bad == 0)); then
    bad=1
  fi
  passed=$((passed + good)) failed=$((failed + bad))
  printf '%-6s %-12s %6d passed %4d failed %8.1f s\n' "$( ((bad == 0)) && echo ok || echo FAILED)" "$name" "$good" "$bad" \
    "$((($(date +%s%N) - start) / 1000000))e-3"
  if ((bad > 0)); then
    tail -n 60 "$log" | sed 's/^/    /'
    echo "    the whole log: $log"
  fi
}

if [[ -n $filter ]]; then
  if declare -F "stage_$filter" >/dev/null; then
    stages=(build "$filter")
    [[ $filter =~ ^(probe|e2e|unit|scenarios|property|crash|threads|build)$ ]] || stages=("$filter")
    [[ $filter != build ]] || stages=(build)
  else
    stages=(build unit)
    export GTEST_FILTER="*$filter*"
  fi
fi
for stage in "${stages[@]}"; do
  run_stage "$stage"
  if [[ $stage == build ]] && ((failed > 0)) && ! [[ -x build/dev/glovebox ]]; then
    echo "nothing was built; the stages after it are left out"
    break
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
