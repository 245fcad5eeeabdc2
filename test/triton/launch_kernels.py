#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Launches kernels of Weft, NAME.ptx and NAME.json, by Triton's own launcher, and compares with NumPy.

  launch_kernels.py FOLDER    those of test/compiler/: `add` of ptx-add.mlir, y[i] += x[i] for i < n; `product` of
                              ptx-product.mlir, C[16, 8] = A[16, K] · B[8, K]ᵀ in bf16; `second` of ptx-modules.mlir,
                              whose first thread's number goes through dynamic shared memory

Memory is had from the libcuda that Triton loads: LD_LIBRARY_PATH says which.
"""
import ctypes
import json
import os
import shutil
import sys
import tempfile
from types import SimpleNamespace

import numpy
import triton
from triton.compiler import CompiledKernel

from device_array import DeviceArray

THREADS = 128


def load(folder, name):
    """Triton's kernel object of our two files. It loads what is called .cubin; the driver takes PTX under that name."""
    metadata = os.path.join(folder, name + ".json")
    with open(metadata, encoding="utf-8") as file:
        signature = json.load(file)["signature"]
    work = tempfile.mkdtemp()
    shutil.copy(os.path.join(folder, name + ".ptx"), os.path.join(work, name + ".cubin"))
    source = SimpleNamespace(signature=signature, constants={})
    return CompiledKernel(source, {f"{name}.json": metadata, f"{name}.cubin": os.path.join(work, name + ".cubin")}, name)


def launch_add(kernel, driver, random):
    for n in (1, THREADS - 1, THREADS, THREADS + 1, 1009):
        x, y = (random.standard_normal(n).astype(numpy.float32) for _ in range(2))
        device_x, device_y = DeviceArray(driver, x), DeviceArray(driver, y)
        kernel[((n + THREADS - 1) // THREADS, 1, 1)](device_x, device_y, n)
        if not numpy.array_equal(device_y.read(), x + y):
            sys.exit(f"add, n = {n}: the result is not NumPy's")


def launch_product(kernel, driver, random):
    for k in (16, 112):
        # Small whole numbers: exact in bf16, and so are their sums in f32. The upper half of an f32 is the bf16.
        a, b = (random.integers(-8, 9, (rows, k)).astype(numpy.float32) for rows in (16, 8))
        halves = [DeviceArray(driver, (matrix.view(numpy.uint32) >> 16).astype(numpy.uint16)) for matrix in (a, b)]
        c = DeviceArray(driver, numpy.full((16, 8), numpy.nan, numpy.float32))
        kernel[(1, 1, 1)](*halves, c, k)
        if not numpy.array_equal(c.read(), a @ b.T):
            sys.exit(f"product, K = {k}: the result is not NumPy's")


def launch_second(kernel, driver, random):
    result = DeviceArray(driver, numpy.full(1, 99, numpy.int32))
    kernel[(1, 1, 1)](result)
    if result.read()[0] != 0:
        sys.exit("second: the first thread's number did not come back")


def main():
    triton.runtime.driver.active.get_current_device()  # makes the context
    driver, random = ctypes.CDLL("libcuda.so.1"), numpy.random.default_rng(1)
    for name, launch in (("add", launch_add), ("product", launch_product), ("second", launch_second)):
        launch(load(sys.argv[1], name), driver, random)
        print(f"{name}: launched by Triton", triton.__version__)


main()
