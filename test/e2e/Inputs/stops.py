# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""stops.py WEFT ARTIFACT FOLDER: continues a text with parts of what follows as stops, shown and as JSON."""
import json
import subprocess
import sys

WEFT, ARTIFACT, FOLDER = sys.argv[1:4]


def run(*stops):
    """What is shown, and what --json has."""
    options = [option for stop in stops for option in ("--stop", stop)]
    command = [WEFT, "run", ARTIFACT, "--prompt", "ok", "--max-new-tokens", "20", "--ignore-eos", *options]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    path = f"{FOLDER}/stopped.json"
    subprocess.run([*command, "--json", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    text = shown.decode(errors="replace").removesuffix("\n").removeprefix("ok")
    assert text == kept["texts"][0], (text, kept["texts"])
    return text, kept["new_tokens"][0]


whole, tokens = run()
assert tokens == 20
plain = [part for part in (whole[at:at + 3] for at in range(len(whole) - 3)) if part.isascii() and part.isprintable()]
for stop in plain[:6]:
    text, count = run(stop, "never said")
    assert text == whole[:whole.index(stop)], (stop, text, whole)
    assert count <= tokens
assert run("never said")[0] == whole
assert plain, whole
print("the text ends before each of its parts, in both kinds of output")
