# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NumPy's files without NumPy: writes inputs, good ones and hostile ones, and compares outputs.

write FILE            token ids [2, 4] and their mask
ids FILE IDS ROWS [MASK]  these token ids in so many rows, and their mask
hostile FOLDER        KIND.npz for each kind of archive that must be refused
npy FILE IDS ROWS     these token ids alone
near NPY SAFETENSORS NAME  the values of the last
same A B              two .npz with equal members
row A I B             row I of each array of a .npz is the only one of the other's
check NPZ SAFETENSORS the same arrays in both formats
"""
import ast
import json
import struct
import sys
import zipfile

IDS = [2, 76, 401, 3, 2, 32, 3, 0]
MASK = [1, 1, 1, 1, 1, 1, 1, 0]


def npy(values, shape, descr="<i8", order=False, code="q", header=None):
    text = header or f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + struct.pack(f"<{len(values)}{code}", *values)


def archive(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members:
            file.writestr(name, data)


def hostile(folder):
    good = npy(IDS, (2, 4))
    members = {
        "shape": [("input_ids.npy", npy(IDS, (2, 5)))],
        "huge": [("input_ids.npy", npy([], (1 << 40, 1 << 40)))],
        "object": [("input_ids.npy", npy(IDS, (2, 4), "|O"))],
        "big-endian": [("input_ids.npy", npy(IDS, (2, 4), ">i8"))],
        "fortran": [("input_ids.npy", npy(IDS, (2, 4), order=True))],
        "header": [("input_ids.npy", npy(IDS, (2, 4), header="{'descr': '<i8', 'shape': __import__('os')}"))],
        "no-array": [("readme.txt", b"hello")],
        "short": [("input_ids.npy", good[:9])],
        "twice": [("input_ids.npy", good)] * 2,
        "index": [("input_ids.npy", npy([2, 76, 900, 3] * 2, (2, 4)))],
        "negative": [("input_ids.npy", npy([2, -1, 9, 3] * 2, (2, 4)))],
        "type": [("input_ids.npy", npy(IDS, (2, 4), "<i4", code="i"))],
        "mask-length": [("input_ids.npy", good), ("attention_mask.npy", npy(MASK[:6], (2, 3)))],
        "long": [("input_ids.npy", npy([2] * 513, (1, 513)))],
        "empty-batch": [("input_ids.npy", npy([], (0, 4)))],
        "unknown": [("input_ids.npy", good), ("pixels.npy", good)],
    }
    for kind, content in members.items():
        archive(f"{folder}/{kind}.npz", content)
    damage(f"{folder}/bit.npz", good, lambda data: flip(data, 30 + len("input_ids.npy") + 140))
    damage(f"{folder}/bomb.npz", bytes(1 << 16), claim_more)
    with open(f"{folder}/text.npz", "w") as file:
        file.write("no archive\n")


def damage(path, content, change):
    archive(path, [("input_ids.npy", content)], zipfile.ZIP_STORED)
    with open(path, "rb") as file:
        data = bytearray(file.read())
    change(data)
    with open(path, "wb") as file:
        file.write(data)


def flip(data, at):
    data[at] ^= 1


def claim_more(data):
    """Sizes in the directory and before the member that are more than may be read: seen before anything is unpacked."""
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.index(signature) + offset
        data[at : at + 4] = struct.pack("<I", 0xFFFFFFFE)


def read_npz(path):
    arrays = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            data = file.read(name)
            length = struct.unpack("<H", data[8:10])[0]
            assert (10 + length) % 64 == 0
            header = ast.literal_eval(data[10 : 10 + length].decode())
            arrays[name.removesuffix(".npy")] = (header["descr"], list(header["shape"]), data[10 + length :])
    return arrays


def read_safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    names = [name for name in header if not name.startswith("__pad.")]
    body = data[8 + length :]
    return {n: ("<f4", header[n]["shape"], body[slice(*header[n]["data_offsets"])]) for n in names}


command, *arguments = sys.argv[1:]
if command == "write":
    archive(arguments[0], [("input_ids.npy", npy(IDS, (2, 4))), ("attention_mask.npy", npy(MASK, (2, 4)))])
elif command == "ids":
    path, ids, rows, *mask = arguments
    given = {"input_ids": ids} | ({"attention_mask": mask[0]} if mask else {})
    values = {name: [int(value) for value in text.split(",")] for name, text in given.items()}
    archive(path, [(f"{name}.npy", npy(v, (int(rows), len(v) // int(rows)))) for name, v in values.items()])
elif command == "npy":
    path, ids, rows = arguments
    values = [int(value) for value in ids.split(",")]
    with open(path, "wb") as file:
        file.write(npy(values, (int(rows), len(values) // int(rows))))
elif command == "row":
    many, one = read_npz(arguments[0]), read_npz(arguments[2])
    assert many.keys() == one.keys() and many
    for name, (_, shape, data) in many.items():
        size, row = len(data) // shape[0], int(arguments[1])
        assert one[name][1] == [1, *shape[1:]] and one[name][2] == data[row * size : (row + 1) * size], name
elif command == "near":
    header = open(arguments[0], "rb").read()
    _, shape, right = read_safetensors(arguments[1])[arguments[2]]
    left = header[-len(right):]
    pairs = [struct.unpack(f"<{len(part) // 4}f", part) for part in (left, right)]
    assert all(abs(a - b) <= 1e-5 * (1 + abs(b)) for a, b in zip(*pairs)), shape
elif command == "hostile":
    hostile(arguments[0])
elif command == "same":
    assert read_npz(arguments[0]) == read_npz(arguments[1])
elif command == "check":
    left, right = read_npz(arguments[0]), read_safetensors(arguments[1])
    assert left == right and set(left) == {"last_hidden_state", "pooler_output", "sentence_embedding"}, left.keys()
