#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh PRESET TARGET...: configures build/PRESET if need be and builds the targets, quietly: the compiler is heard when
# something fails, and progress is shown when it takes long.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
preset=$1
shift
folder="$root/build/$preset"
presets_hash=$(hash_of "$root/CMakePresets.json")

configured() {
  [[ -f $folder/build.ninja && -f $folder/.presets && $(<"$folder/.presets") == "$presets_hash" ]] &&
    grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"
}

configure() {
  # What a checkout in another place, or other presets, left behind is of no use.
  rm -rf -- "$folder"
  (cd "$root" && cmake --preset "$preset") && printf '%s\n' "$presets_hash" >"$folder/.presets"
}

# The first error and what follows it, without the lines of progress.
show_errors() {
  grep -vE '^\[[0-9]+/[0-9]+\]' "$1" | head -n "${GLOVEBOX_ERROR_LINES:-60}" >&2
}

if ! configured; then
  step "configure $preset" "If a package is said to be missing, ./glovebox setup checks the machine again." configure || exit 1
fi
log="$root/build/logs/build-$preset.log"
start=$SECONDS
if ! logged "$log" "building ($preset)" ninja -C "$folder" -j "$(jobs_max)" -k "${GLOVEBOX_KEEP_GOING:-1}" "$@"; then
  show_errors "$log"
  say "the build failed; the whole log: $log"
  exit 1
fi
((SECONDS - start < 5)) || say "built ($preset) in $((SECONDS - start)) s"
