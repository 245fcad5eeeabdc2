# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What tools/check, tools/demo and tools/dev/check share: set-up, configure, build, with plain progress. Sourced by
# bash scripts that have set `root`.

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

# `build BUILD TARGET...`: on a terminal ninja draws its own line. Says how long it took.
build() {
  local folder=$1 start=$SECONDS
  shift
  step "build"
  if [ -t 1 ]; then
    ninja -C "$folder" "$@" || stop "the build failed" "the first error above is the cause"
  else
    (set -o pipefail; ninja -C "$folder" "$@" 2>&1 | "$root/tools/dev/every_twentieth" build) ||
      stop "the build failed" "the first error above is the cause"
  fi
  echo "build: $((SECONDS - start)) s"
}

# `absolute PATH`
absolute() {
  case "$1" in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "$1" ;; esac
}
