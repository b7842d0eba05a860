#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# lint.sh [--all|--fix]: everything that reads the code and does not run it; clang-tidy on changed files, or on all. --fix mends
# what clang-tidy can mend by itself, includes above all, in all files, and lays them out.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
if [[ ${1:-} == --fix ]]; then
  tools/build.sh fuzz build.ninja
  python3 tools/clang_tidy.py --all --fix build/fuzz
  exec tools/format.sh
fi
status=0
tools/check_scripts.sh || status=1
tools/check_layers.py || status=1
tools/check_tidy.py || status=1
tools/format.sh --check || status=1
tools/build.sh fuzz build.ninja || status=1
tools/clang_tidy.py "$@" build/fuzz || status=1
exit "$status"
