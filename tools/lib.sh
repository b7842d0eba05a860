# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of tools/ share. `root` is the checkout.
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

# Words to the user go to stderr: stdout belongs to the program.
say() { printf 'glovebox: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

hash_of() { cat -- "$@" | sha256sum | cut -c1-32; }

jobs_max() {
  local cpus memory_gb
  cpus=$(nproc)
  memory_gb=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
  # One compiler takes up to 1.5 GB.
  local by_memory=$((memory_gb * 2 / 3))
  ((by_memory < 1)) && by_memory=1
  echo $((cpus < by_memory ? cpus : by_memory))
}

# follow LOG TITLE: until it is killed, says how far a command is, every second on a terminal, every 20 s elsewhere.
follow() {
  local log=$1 title=$2 start=$SECONDS said=$SECONDS line never
  exec {never}<> <(:)  # nothing ever comes: a pause that leaves no process behind when this one is killed
  until read -r -t 1 -u "$never"; do
    line=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-90)
    if [[ -t 2 ]]; then
      printf '\r\033[Kglovebox: %s, %d s: %s' "$title" $((SECONDS - start)) "$line" >&2
    elif ((SECONDS - said >= 20)); then
      say "$title, $((SECONDS - start)) s: $line"
      said=$SECONDS
    fi
  done
}

# logged LOG TITLE COMMAND...: runs it with its output in a log, and shows progress when it takes long.
logged() {
  local log=$1 title=$2 status=0 watcher
  shift 2
  mkdir -p "$(dirname -- "$log")"
  follow "$log" "$title" &
  watcher=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$watcher"
  wait "$watcher" 2>/dev/null || true
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
  return "$status"
}

# step TITLE HINT COMMAND...: logged; on failure shows the end of the log and what to do. set -e does not hold in COMMAND.
step() {
  local title=$1 hint=$2
  shift 2
  local log start=$SECONDS status=0
  log="$root/build/logs/$(tr -c 'a-zA-Z0-9\n' '-' <<<"$title").log"
  logged "$log" "$title" "$@" || status=$?
  if ((status != 0)); then
    tail -n 30 "$log" >&2
    say "$title: failed (exit $status). $hint"
    say "the whole log: $log"
    return 1
  fi
  ((SECONDS - start < 2)) || say "$title: done in $((SECONDS - start)) s"
}
