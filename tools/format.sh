#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# format.sh [--check]: lays out all C++ files as .clang-format says; with --check it changes nothing and names what differs.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
mapfile -t files < <(find src tests bench \( -name '*.h' -o -name '*.cc' \) -type f 2>/dev/null | sort)
((${#files[@]} > 0)) || die "no C++ files found"
if [[ ${1:-} != --check ]]; then
  printf '%s\0' "${files[@]}" | xargs -0 -n 16 -P "$(nproc)" clang-format-19 -i
  exit
fi
failed=0
for file in "${files[@]}"; do
  if ! clang-format-19 "$file" | cmp -s - "$file"; then
    echo "not laid out as .clang-format says: $file (./glovebox format mends it)"
    failed=$((failed + 1))
  fi
done
echo "$((${#files[@]} - failed)) passed, $failed failed"
((failed == 0))
