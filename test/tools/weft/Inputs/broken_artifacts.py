# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""broken_artifacts.py ARTIFACT FOLDER: copies of an artifact, each broken in one way, as FOLDER/WAY.weft."""
import os
import re
import shutil
import sys

source, target = sys.argv[1:]
FILES = {"code": "model.so", "weights": "weights.safetensors", "tokenizer": "tokenizer.json", "manifest": "manifest.json"}


def artifact(way, change):
    folder = f"{target}/{way}.weft"
    shutil.copytree(source, folder)
    path = f"{folder}/{FILES.get(way.split('-')[0], 'manifest.json')}"
    with open(path, "rb") as file:
        content = change(bytearray(file.read()))
    os.remove(path)
    if content is not None:
        with open(path, "wb") as file:
            file.write(content)


def flip(content):
    content[len(content) // 2] ^= 16
    return content


def cut(content):
    return content[:-1]


artifact("abi-newer", lambda content: re.sub(rb'"major": \d+', b'"major": 999', content))
artifact("code-bit", flip)
artifact("code-cut", cut)
artifact("code-gone", lambda content: None)
artifact("manifest-cut", lambda content: content[: len(content) // 2])
artifact("manifest-gone", lambda content: None)
artifact("tokenizer-bit", flip)
artifact("weights-bit", flip)
artifact("weights-cut", cut)
