#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [PYTEST-ARGUMENT...]: `kill -9` of the built server at its named kill points, and at GLOVEBOX_CRASH_ROUNDS moments of a run.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../tools/lib.sh"
cd -- "$root"
results="$root/build/results/crash"
rm -rf -- "$results" && mkdir -p "$results"
export GLOVEBOX_CRASH_ROUNDS="${GLOVEBOX_CRASH_ROUNDS:-20}"
status=0
build/deps/venv/bin/python -m pytest -q -p no:cacheprovider --junitxml "$results/crash.xml" tests/crash "$@" || status=$?
python3 tools/count_results.py "$results"
exit "$status"
