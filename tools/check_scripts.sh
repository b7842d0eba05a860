#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Shell scripts by shellcheck, Python files by the compiler, the spelling of everything by codespell.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$root"
passed=0 failed=0
check() {
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
mapfile -t scripts < <(
  printf '%s\n' glovebox .ci/run
  find tools tests bench -name '*.sh' -type f 2>/dev/null | sort
)
for script in "${scripts[@]}"; do
  check shellcheck -x "$script"
done
mapfile -t python < <(find demo tools tests -name '*.py' -type f | sort)
for file in "${python[@]}"; do
  check python3 -c 'import sys; compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec")' "$file"
done
mapfile -t texts < <(
  find demo src tests tools docs bench changes ./*.md -type f \( -name '*.md' -o -name '*.sh' -o -name '*.py' \) 2>/dev/null | sort
  find src -type f \( -name '*.h' -o -name '*.cc' \) | sort
)
# CamelCase names are no words.
check codespell --ignore-regex '\b\w*[a-z][A-Z]\w*\b' --ignore-words tools/spelling.txt "${texts[@]}"
echo "$passed passed, $failed failed"
((failed == 0))
