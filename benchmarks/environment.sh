# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sourced by the programs here: makes .venv-bench on first use; benchmark MODULE ARGUMENT… then runs in it.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(dirname "$here")"
venv="$root/.venv-bench"

# Made again whenever the list of versions changes; the stamp is written last, so that a broken install is retried.
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  echo "benchmarks: installing the peers into .venv-bench (once, about a minute)" >&2
  python3 -m venv --clear "$venv" >/dev/null 2>&1 ||
    { "$root/tools/setup" python3-venv && python3 -m venv --clear "$venv"; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

# Nothing may be fetched while a program runs, and no library may start more threads than asked.
export HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error HF_HUB_DISABLE_PROGRESS_BARS=1 TOKENIZERS_PARALLELISM=false

benchmark() {
  PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$venv/bin/python" -m "$@"
}
