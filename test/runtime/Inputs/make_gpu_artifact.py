# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make_gpu_artifact.py SIGN MODEL.so KERNELS ARTIFACT N: the artifact of runtime/demo/hand_written_gpu.c, and beside it
ARTIFACT.inputs.safetensors with x and y of N elements. SIGN prints a file's length and digest."""
import json
import os
import re
import shutil
import struct
import subprocess
import sys

SIGN, MODEL, KERNELS, ARTIFACT = sys.argv[1:5]
N = int(sys.argv[5])


def write_tensors(path, tensors):
    """float32 arrays; the data begins at a multiple of 64 bytes."""
    header, data = {}, b""
    for name, values in tensors.items():
        begin = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


os.makedirs(ARTIFACT)
shutil.copy(MODEL, f"{ARTIFACT}/model.so")
shutil.copytree(KERNELS, f"{ARTIFACT}/kernels")
write_tensors(f"{ARTIFACT}/weights.safetensors", {"alpha": [2.5]})
x, y = [float(i * 37 % 101 - 50) for i in range(N)], [i % 13 / 4 for i in range(N)]
write_tensors(f"{ARTIFACT}.inputs.safetensors", {"x": x, "y": y})

files = {}
for folder, _, names in os.walk(ARTIFACT):
    for name in names:
        path = os.path.join(folder, name)
        size, digest = subprocess.check_output([SIGN, path], text=True).split()
        files[os.path.relpath(path, ARTIFACT)] = {"bytes": int(size), "xxh3": digest}
with open(os.path.join(os.path.dirname(KERNELS), "../include/weft/abi.h"), encoding="utf-8") as file:
    abi = {part.lower(): int(n) for part, n in re.findall(r"#define WEFT_ABI_(MAJOR|MINOR) (\d+)", file.read())}
manifest = {"format": 1, "abi": abi, "compiler": "by hand", "model": "saxpy"}
manifest |= {"targets": ["sm_90a", "sm_80", "portable"], "files": files}
with open(f"{ARTIFACT}/manifest.json", "w", encoding="utf-8") as file:
    json.dump(manifest, file)
