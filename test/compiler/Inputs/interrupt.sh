# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# interrupt.sh WEFT MODEL FOLDER: starts compilations and ends each by a signal, later and later.
for wait in 0.02 0.1 0.2 0.4 0.7 1.1; do
  for signal in INT TERM; do
    timeout -s $signal $wait "$1" compile "$2" -o "$3/m.weft" > "$3.out" 2>&1
    for name in $(ls -A "$3"); do
      [ "$name" = m.weft ] && [ -f "$3/m.weft/manifest.json" ] || echo "half: $name after $wait $signal"
    done
    rm -rf "$3/m.weft"
  done
done
echo done
