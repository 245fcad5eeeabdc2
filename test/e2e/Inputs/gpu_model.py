# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""gpu_model.py WEFT FIXTURE TARGET FOLDER [TOKENS]: compiles a fixture for a GPU, runs it there, and compares outputs with
the fixture's float64; with TOKENS continues its texts there and on the CPU. Prints what came out; exit 1 where it is off."""
import json
import math
import os
import struct
import subprocess
import sys

WEFT, FIXTURE, TARGET, FOLDER = sys.argv[1:5]
TOKENS = sys.argv[5] if len(sys.argv) > 5 else None
BOUND = 1e-5  # relative root mean square of f32
FORMATS = {"F64": "d", "F32": "f", "I64": "q"}
name = os.path.basename(FIXTURE)
artifact, inputs, outputs = (f"{FOLDER}/{name}{end}" for end in (".weft", ".in.safetensors", ".out.safetensors"))


def read(path):
    """name -> (type, shape, bytes)"""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    start = 8 + length
    return {
        key: (tensor["dtype"], tensor["shape"], data[start + tensor["data_offsets"][0] : start + tensor["data_offsets"][1]])
        for key, tensor in header.items()
        if not key.startswith("__pad")  # fills a hole between arrays
    }


def write(path, tensors):
    header, data = {}, b""
    for key, (dtype, shape, content) in tensors.items():
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def numbers(tensor):
    dtype, _, content = tensor
    return struct.unpack(f"<{len(content) // struct.calcsize(FORMATS[dtype])}{FORMATS[dtype]}", content)


def weft(*arguments):
    subprocess.run([WEFT, *arguments], check=True, stdout=subprocess.DEVNULL)


expected = read(f"{FIXTURE}/expected.safetensors")
write(inputs, {key.removeprefix("input."): value for key, value in expected.items() if key.startswith("input.")})
weft("compile", FIXTURE, "-o", artifact, "--target", f"nvptx:{TARGET}", "--assemble", "never")
weft("run", artifact, "--device", "cuda", "--inputs", inputs, "--outputs", outputs)
worst = 0.0
mask = numbers(expected["input.attention_mask"])
for key, got in read(outputs).items():
    want = numbers(expected[f"output.{key}"])
    # What belongs to a padded token is anything.
    each = len(want) // len(mask) if got[1][:2] == expected["input.attention_mask"][1] else 0
    pairs = [(a, b) for i, (a, b) in enumerate(zip(want, numbers(got), strict=True)) if not each or mask[i // each]]
    worst = max(worst, math.sqrt(sum((a - b) ** 2 for a, b in pairs) / sum(a * a for a, _ in pairs)))
passed = worst < BOUND
print(f"{name} {TARGET}: {'within' if passed else f'{worst} is outside'} the bound of float64")
if TOKENS:
    sequences = []
    for model, device in ((artifact, "cuda"), (FIXTURE, "cpu")):
        weft("run", model, "--device", device, "--inputs", inputs, "--outputs", outputs, "--max-new-tokens", TOKENS, "--ignore-eos")
        sequences.append(read(outputs)["sequences"])
    same = sequences[0] == sequences[1]
    passed &= same
    print(f"{name} {TARGET}: {TOKENS} tokens more, {'those' if same else 'others than those'} of the CPU")
sys.exit(0 if passed else 1)
