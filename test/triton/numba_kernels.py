#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles Python with Numba on the spot, runs the PTX with ptxsim, and compares with NumPy.

  numba_kernels.py PTXSIM FOLDER 80|90
"""
import math
import os
import re
import sys

import numpy
from numba import cuda, float32, int32, types

import run_ptx


def axpy(a, x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = a * x[i] + y[i]


def block_sums(x, y):
    partial = cuda.shared.array(128, float32)
    thread = cuda.threadIdx.x
    total = float32(0)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        total += x[i]
    partial[thread] = total
    cuda.syncthreads()
    half = 64
    while half > 0:
        if thread < half:
            partial[thread] += partial[thread + half]
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        y[cuda.blockIdx.x] = partial[0]


def count(x, bins):
    i = cuda.grid(1)
    if i < x.size:
        cuda.atomic.add(bins, x[i] % bins.size, 1)


def mathematics(x, y):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = math.exp(x[i]) + math.sin(x[i] * 3) * math.sqrt(abs(x[i])) + x[i] // 0.25


def sorted_fours(x, y):
    start = cuda.grid(1) * 4
    if start + 4 <= x.size:
        kept = cuda.local.array(4, int32)
        for i in range(4):
            at = i
            while at > 0 and kept[at - 1] > x[start + i]:
                kept[at] = kept[at - 1]
                at -= 1
            kept[at] = x[start + i]
        for i in range(4):
            y[start + i] = kept[i]


class Kernels:

    def __init__(self, ptxsim, folder, capability):
        self.ptxsim, self.folder, self.capability = ptxsim, folder, (capability // 10, capability % 10)

    def __call__(self, function, arrays, arguments, grid, block):
        """`arguments`: names of arrays of one dimension, or floats."""
        signature = [types.float32 if isinstance(each, float) else types.Array(
            types.float32 if arrays[each].dtype == numpy.float32 else
            types.float64 if arrays[each].dtype == numpy.float64 else types.int32, 1, "C") for each in arguments]
        text, _ = cuda.compile_ptx(function, tuple(signature), cc=self.capability)
        kernel = re.search(r"\.visible \.entry (\w+)\(", text)[1]
        run = run_ptx.Runner(self.ptxsim, os.path.join(self.folder, function.__name__), text)
        return run(kernel, arrays, [piece for each in arguments for piece in self.pieces(each, arrays)], grid, block)

    @staticmethod
    def pieces(argument, arrays):
        """An array is seven parameters: owner, parent, elements, bytes of one, address, extent, stride."""
        if isinstance(argument, float):
            return [f"f32:{argument}"]
        array = arrays[argument]
        return ["u64:0", "u64:0", f"u64:{array.size}", f"u64:{array.itemsize}", argument, f"u64:{array.size}",
                f"u64:{array.itemsize}"]


def main():
    run = Kernels(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    draw = numpy.random.default_rng(11)

    x, y = draw.standard_normal((2, 1001)).astype(numpy.float32)
    got = run(axpy, {"x": x, "y": y}, [0.5, "x", "y"], 8, 128)["y"]
    run_ptx.agree("axpy", got, 0.5 * x.astype(numpy.float64) + y, 1e-7)

    got = run(block_sums, {"x": x, "y": numpy.zeros(3, numpy.float32)}, ["x", "y"], 3, 128)["y"]
    blocks = (numpy.arange(x.size) // 128) % 3
    run_ptx.agree("block_sums", got, numpy.bincount(blocks, x.astype(numpy.float64)), 1e-5)

    x = draw.integers(0, 1000, 500).astype(numpy.int32)
    got = run(count, {"x": x, "y": numpy.zeros(7, numpy.int32)}, ["x", "y"], 4, 128)["y"]
    run_ptx.agree("count", got, numpy.bincount(x % 7, minlength=7), 0)

    w = draw.standard_normal(200)
    got = run(mathematics, {"x": w, "y": numpy.zeros(200)}, ["x", "y"], 2, 128)["y"]
    run_ptx.agree("mathematics", got, numpy.exp(w) + numpy.sin(w * 3) * numpy.sqrt(abs(w)) + w // 0.25, 1e-13)

    x = draw.integers(-50, 50, 256).astype(numpy.int32)
    got = run(sorted_fours, {"x": x, "y": numpy.zeros(256, numpy.int32)}, ["x", "y"], 1, 64)["y"]
    run_ptx.agree("sorted_fours", got, numpy.sort(x.reshape(-1, 4), 1).ravel(), 0)
    print("all kernels agree with NumPy")


main()
