# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""generation.py WEFT MODEL FIXTURE FOLDER [OPTION …]: the fixture's inputs continued by MODEL (the fixture, or an artifact
of it), against its greedy.sequences.
"""
import json
import os
import struct
import subprocess
import sys

WEFT, MODEL, FIXTURE, FOLDER, *OPTIONS = sys.argv[1:]


def load(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    return {name: (entry, data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__"}


def store(path, tensors):
    header, data = {}, b""
    for name, (entry, part) in tensors.items():
        header[name] = {**entry, "data_offsets": [len(data), len(data) + len(part)]}
        data += part
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    expected = load(os.path.join(FIXTURE, "expected.safetensors"))
    inputs = {name.removeprefix("input."): part for name, part in expected.items() if name.startswith("input.")}
    given, made = os.path.join(FOLDER, "in.safetensors"), os.path.join(FOLDER, "out.safetensors")
    store(given, inputs)
    entry, wanted = expected["greedy.sequences"]
    new = entry["shape"][1] - inputs["input_ids"][0]["shape"][1]
    subprocess.run([WEFT, "run", MODEL, "--inputs", given, "--outputs", made, "--max-new-tokens", str(new),
                    "--ignore-eos", *OPTIONS], check=True, stdout=subprocess.DEVNULL)
    got_entry, got = load(made)["sequences"]
    same = got == wanted and got_entry["shape"] == entry["shape"]
    print(f"{os.path.basename(FIXTURE)}: {entry['shape']}", "as expected" if same else f"is {list(got)}")


main()
