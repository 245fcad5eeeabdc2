# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files around state.mlir.

write FOLDER   state.safetensors (the weight, 0.5 + d / 128), context.npz (three tokens), next.npz (a fourth)
check FOLDER   y.npz holds the average of the four
"""
import json
import struct
import sys
import zipfile

WIDTH = 37
TOKENS = [[(7 * t + 3 * d) % 11 - 5 for d in range(WIDTH)] for t in range(4)]


def weight(d):
    return 0.5 + d / 128


def write_npz(path, tokens, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    values = [value for token in tokens for value in token]
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                      struct.pack(f"<{len(values)}f", *values))


def write(folder):
    data = struct.pack(f"<{WIDTH}f", *(weight(d) for d in range(WIDTH)))
    header = json.dumps({"decay": {"dtype": "F32", "shape": [WIDTH], "data_offsets": [0, len(data)]}}).encode()
    with open(f"{folder}/state.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + data)
    write_npz(f"{folder}/context.npz", TOKENS[:3], (1, 3, WIDTH))
    write_npz(f"{folder}/next.npz", TOKENS[3:], (1, WIDTH))


def check(folder):
    data = zipfile.ZipFile(f"{folder}/y.npz").read("y.npy")
    y = struct.unpack(f"<{WIDTH}f", data[-4 * WIDTH:])
    for d in range(WIDTH):
        average = 0
        for token in TOKENS:
            average = average * weight(d) + token[d]
        assert abs(y[d] - average) < 1e-5, (d, y[d], average)


{"write": write, "check": check}[sys.argv[1]](sys.argv[2])
