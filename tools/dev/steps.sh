# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What tools/check, tools/demo and tools/dev/check share: set-up, configure, build, with plain progress. Sourced by bash.

# `step TEXT`: says what is being done.
step() {
  if [ -t 1 ]; then printf '\033[1m== %s\033[0m\n' "$*"; else printf '== %s\n' "$*"; fi
}

# `stop TEXT HELP`: the end, with what to do.
stop() {
  printf 'error: %s\n' "$1" >&2
  [ -z "${2:-}" ] || printf 'help: %s\n' "$2" >&2
  exit 1
}

# `configure BUILD`: the default preset, quiet unless it fails. Configuring again is left to ninja.
configure() {
  [ -f "$1/build.ninja" ] && return
  step "configure"
  mkdir -p "$1"
  local log=$1/configure.log
  if ! cmake --preset default -B "$1" > "$log" 2>&1; then
    cat "$log" >&2
    stop "cmake cannot configure the build" "the first error above says what is missing"
  fi
}

# `every_twentieth WORD`: of the status lines of ninja ("[3/70] …") or lit ("PASS: … (3 of 70)") one for each
# twentieth of the work; all other lines (errors, warnings, failures) as they are.
every_twentieth() {
  awk -v word="$1" '
    function status(done, all) {
      share = int(20 * done / all)
      if (share != last || done == all) { print word ": " done " of " all; fflush() }
      last = share
    }
    match($0, /^\[[0-9]+\/[0-9]+\]/) { split(substr($0, 2, RLENGTH - 2), n, "/"); status(n[1], n[2]); next }
    /^PASS: / && match($0, /\([0-9]+ of [0-9]+\)$/) { split(substr($0, RSTART + 1), n, / of |\)/); status(n[1], n[2]); next }
    $0 == "ninja: no work to do." { print word ": nothing to do"; fflush(); next }
    /^ninja: Entering directory/ { next }
    { print; fflush() }'
}

# `build BUILD TARGET...`: on a terminal ninja draws its own line.
build() {
  local folder=$1
  shift
  step "build"
  if [ -t 1 ]; then
    ninja -C "$folder" "$@" || stop "the build failed" "the first error above is the cause"
    return
  fi
  (set -o pipefail; ninja -C "$folder" "$@" 2>&1 | every_twentieth build) ||
    stop "the build failed" "the first error above is the cause"
}

# `absolute PATH`
absolute() {
  case "$1" in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "$1" ;; esac
}
