#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [LEVEL]: has the judges try honest, hostile and adversarial statements up to LEVEL (1) on the committed tables
# (seed 7) and on tables of another seed. Each judgement ends with 'N passed, M failed'; exit 1 if any failed.
set -euo pipefail
# shellcheck source=tools/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../tools/lib.sh"
cd -- "$root"
level=${1:-1}
python="$root/build/deps/venv/bin/python"
room="$root/tests/probe"
other="$root/build/probe/seed-8"
status=0

judge() {
  local title=$1
  shift
  echo "$title"
  "$python" "$@" --project "$root" || status=1
}

cmp -s <("$python" "$room/make_data.py" --out "$root/build/probe/seed-7" && cat "$root/build/probe/seed-7/"{crm,my,tx}.csv) \
  <(cat "$room/"{crm,my,tx}.csv) || { echo "make_data.py no longer makes the committed tables" && status=1; }
"$python" "$room/make_data.py" --seed 8 --out "$other"
for data in "$room" "$other"; do
  judge "honest, $(basename "$data")" "$room/judge_honest.py" honest "$room/honest.jsonl" "$data" --level "$level"
  judge "hostile, $(basename "$data")" "$room/judge_hostile.py" "$room/hostile.jsonl" "$data" --level "$level"
  judge "adversarial, $(basename "$data")" "$room/judge_honest.py" attack "$room/adversarial-sql.jsonl" "$data"
done
exit "$status"
