#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes blocks.safetensors: random blocks of each format, and the values that PyPI gguf (0.17 or newer) gives them.

Needs: gguf, numpy, safetensors.
"""
import pathlib

import gguf
import numpy as np
from safetensors.numpy import save_file

FORMATS = "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4".split()
# Where a block holds f16 numbers, which random bytes could make infinite.
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}


def blocks_of(name, random):
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    count = max(1, 64 // elements)
    if elements == 1:
        numbers = random.standard_normal(count).astype(np.float32)
        halves = numbers.view(np.uint32) >> 16
        return {"F32": numbers, "F16": numbers.astype(np.float16), "BF16": halves.astype(np.uint16)}[name].view(np.uint8)
    data = random.integers(0, 256, (count, size), dtype=np.uint8)
    for at in HALVES.get(name, []):
        data[:, at:at + 2] = random.standard_normal((count, 1)).astype(np.float16).view(np.uint8)
    if name == "MXFP4":
        data[:, 0] = random.integers(100, 150, count)
        data[0, 0] = 0  # the least scale: subnormal
    return data.reshape(-1)


def main():
    random = np.random.default_rng(0)
    tensors = {}
    for name in FORMATS:
        data = blocks_of(name, random)
        values = gguf.quants.dequantize(data, gguf.GGMLQuantizationType[name]).reshape(-1).astype(np.float32)
        tensors[name + ".blocks"] = data
        tensors[name + ".values"] = values
    save_file(tensors, pathlib.Path(__file__).with_name("blocks.safetensors"))


if __name__ == "__main__":
    main()
