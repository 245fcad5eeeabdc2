# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""broken_models.py MODEL FOLDER: copies of a model, each broken in one way, as FOLDER/WAY."""
import json
import os
import shutil
import struct
import sys

source, target = sys.argv[1:]
with open(f"{source}/config.json", "rb") as file:
    config = file.read()
with open(f"{source}/model.safetensors", "rb") as file:
    weights = file.read()
length = struct.unpack("<Q", weights[:8])[0]
header, data = json.loads(weights[8 : 8 + length]), weights[8 + length :]


def model(way, config=config, weights=weights):
    os.makedirs(f"{target}/{way}")
    for name, content in (("config.json", config), ("model.safetensors", weights)):
        if content is not None:
            with open(f"{target}/{way}/{name}", "wb") as file:
                file.write(content)


def with_config(**changes):
    return json.dumps({**json.loads(config), **changes}).encode()


def with_header(text):
    return struct.pack("<Q", len(text)) + text + data


def with_tensor(name, **changes):
    return with_header(json.dumps({**header, name: {**header[name], **changes}}).encode())


tensors = [name for name in header if name != "__metadata__"]
first, second = sorted(tensors, key=lambda name: header[name]["data_offsets"])[:2]
offsets = header[first]["data_offsets"]
query = next(name for name in tensors if name.endswith("attention.self.query.weight"))
text = json.dumps(header)

model("no-config", config=None)
model("no-weights", weights=None)
model("config-cut", config=config[:100])
model("config-deep", config=b"[" * 100000)
model("config-twice", config=config.replace(b"{", b'{"hidden_size": 1,', 1))
model("hidden-size", config=with_config(hidden_size=49))
model("unknown-architecture", config=with_config(model_type="gpt9"))
model("pickle", weights=None)
shutil.copy(f"{source}/model.safetensors", f"{target}/pickle/pytorch_model.bin")
model("weights-cut", weights=weights[:-1000])
model("weights-header-size", weights=struct.pack("<Q", 1 << 60) + weights[8:])
model("weights-deep", weights=with_header(b'{"a":' * 100000))
model("weights-twice", weights=with_header((text[:-1] + f', "{first}": {json.dumps(header[first])}}}').encode()))
model("weights-outside", weights=with_tensor(first, data_offsets=[len(data), len(data) + offsets[1] - offsets[0]]))
model("weights-overlap", weights=with_tensor(second, data_offsets=[n - 4 for n in header[second]["data_offsets"]]))
model("weights-shape", weights=with_tensor(query, shape=header[query]["shape"] + [1]))
model("weights-int", weights=with_tensor(query, dtype="I32"))
model("weights-missing", weights=with_header(text.replace(query, query + ".renamed").encode()))
