# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays for weft run, without NumPy: writes inputs, and compares the outputs of several files."""
import json
import struct
import sys
import zipfile

INPUTS = {"input_ids": [2, 32, 57, 3, 0, 0, 2, 76, 401, 279, 104, 3], "attention_mask": [1, 1, 1, 1, 0, 0] + [1] * 6}
SHAPE = [2, 6]


def write_safetensors(path):
    header, data = {}, b""
    for name, values in INPUTS.items():
        packed = struct.pack("<12q", *values)
        header[name] = {"dtype": "I64", "shape": SHAPE, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_npz(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in INPUTS.items():
            text = b"{'descr': '<i8', 'fortran_order': False, 'shape': (2, 6), }"
            text += b" " * (-(len(text) + 11) % 64) + b"\n"
            head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text))
            archive.writestr(name + ".npy", head + text + struct.pack("<12q", *values))


def flat(value):
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [value]


def floats(data):
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def read(path):
    """name -> all elements"""
    if path.endswith(".json"):
        with open(path, encoding="utf-8") as file:
            return {name: flat(output["values"]) for name, output in json.load(file)["outputs"].items()}
    if path.endswith(".npz"):
        with zipfile.ZipFile(path) as archive:
            files = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}
        return {name: floats(data[10 + struct.unpack("<H", data[8:10])[0]:]) for name, data in files.items()}
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = {k: v for k, v in json.loads(data[8:start]).items() if "dtype" in v and v["dtype"] == "F32"}
    return {k: floats(data[start + v["data_offsets"][0]:start + v["data_offsets"][1]]) for k, v in header.items()}


def same(paths):
    first, *others = (read(path) for path in paths)
    for name in sorted(first):
        alike = first[name] and all(other[name] == first[name] for other in others)
        print(f"{name}: {'same in ' + str(len(paths)) + ' files' if alike else 'DIFFERS'}")


if sys.argv[1] == "write":
    write_safetensors(sys.argv[2])
elif sys.argv[1] == "npz":
    write_npz(sys.argv[2])
else:
    same(sys.argv[2:])
