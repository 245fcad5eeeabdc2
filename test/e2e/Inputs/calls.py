# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""calls.py FOLDER: writes input files for weft run, one for each mistake that a call can hold."""
import json
import os
import struct
import sys

IDS = [2, 32, 57, 3]
TYPES = {"I64": "q", "I32": "i", "F32": "f"}


def write(name, **arrays):
    """array -> (dtype, shape, values)"""
    header, data = {}, b""
    for key, (dtype, shape, values) in arrays.items():
        packed = struct.pack(f"<{len(values)}{TYPES[dtype]}", *values)
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    with open(os.path.join(sys.argv[1], name + ".safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


write("good", input_ids=("I64", [1, 4], IDS))
write("id-too-large", input_ids=("I64", [1, 4], [2, 32, 900, 3]))
write("id-negative", input_ids=("I64", [1, 4], [2, -1, 57, 3]))
write("mask-two", input_ids=("I64", [1, 4], IDS), attention_mask=("I64", [1, 4], [1, 1, 2, 1]))
write("too-long", input_ids=("I64", [1, 513], [2] * 513))
write("too-many", input_ids=("I64", [65, 1], [2] * 65))
write("no-token", input_ids=("I64", [1, 0], []))
write("other-rank", input_ids=("I64", [4], IDS))
write("other-type", input_ids=("I32", [1, 4], IDS))
write("disagree", input_ids=("I64", [1, 4], IDS), attention_mask=("I64", [1, 3], [1, 1, 1]))
write("unknown-name", input_ids=("I64", [1, 4], IDS), position=("I64", [1, 4], IDS))
write("no-ids", attention_mask=("I64", [1, 4], [1] * 4))
