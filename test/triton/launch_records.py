#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Launches recorded kernels of Triton by Triton's own launcher on the libcuda that it loads, and judges their results.

  launch_records.py FOLDER NAME.smXX…    NAME.smXX.{ptx,json} and NAME.npz in FOLDER, as `ptxsim replay` reads them

LD_LIBRARY_PATH says which libcuda.so.1. A kernel for another device than the driver's is skipped with a word.
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


def e4m3_values():
    """The 256 values of fp8 e4m3, which has no infinity."""
    codes = numpy.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    size = numpy.where(exponent > 0, (8 + mantissa) * 2.0 ** (exponent - 10), mantissa * 2.0**-9)
    size[(codes & 127) == 127] = numpy.nan
    return numpy.where(codes & 128, -size, size)


def numbers(values, kind):
    """Values as float64; bf16 and fp8 are kept as their bits."""
    if kind == "bf16":
        return (values.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64)
    if kind == "fp8e4nv":
        return e4m3_values()[values]
    return values.astype(numpy.float64)


def kernel_of(folder, name, record):
    """Triton's kernel object. It loads what is called .cubin; the driver takes PTX under that name."""
    work = tempfile.mkdtemp()
    shutil.copy(os.path.join(folder, name + ".ptx"), os.path.join(work, name + ".cubin"))
    launch = {key: value for key, value in record.items() if key != "replay"}
    with open(os.path.join(work, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(launch, file)
    types = {key: value for key, value in record["signature"].items() if value != "constexpr"}
    source = SimpleNamespace(signature=types, constants={})
    paths = {f"{name}.json": os.path.join(work, name + ".json"), f"{name}.cubin": os.path.join(work, name + ".cubin")}
    return CompiledKernel(source, paths, name)


def judge(name, array, got, want):
    """None, or what is wrong with an output."""
    kind = array["type"]
    got, want = numbers(got, kind), numbers(want, kind)
    bound = array.get("atol", 0) + array.get("rtol", 0) * numpy.abs(want)
    wrong = ~((numpy.abs(got - want) <= bound) | (numpy.isnan(got) & numpy.isnan(want)) | (got == want))
    return f"{name}: {int(wrong.sum())} of {wrong.size} values are out of tolerance" if wrong.any() else None


def run(driver, folder, name):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
        record = json.load(file)
    arrays = numpy.load(os.path.join(folder, name.rsplit(".", 1)[0] + ".npz"))
    replay = record["replay"]
    device = {key: DeviceArray(driver, arrays[key + "_in"]) for key in replay["arrays"]}
    arguments = [device[p["pointer"]] if "pointer" in p else p["scalar"] for p in replay["params"] if "scratch" not in p]
    grid = list(replay["grid"])
    grid[0] //= record["num_ctas"]
    triton.set_allocator(lambda size, alignment, stream: DeviceArray(driver, numpy.zeros(size, numpy.uint8)))
    kernel_of(folder, name, record)[tuple(grid)](*arguments)
    for key, array in replay["arrays"].items():
        if array["output"]:
            if problem := judge(f"{name}, {key}", array, device[key].read(), arrays[key + "_out"]):
                return problem
    return None


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    triton.runtime.driver.active.get_current_device()  # makes the context
    driver = ctypes.CDLL("libcuda.so.1")
    arch = triton.runtime.driver.active.get_current_target().arch
    for name in names:
        if int(name.rsplit(".sm", 1)[1]) > arch:
            print(name, "skipped: it is for a newer device")
        elif problem := run(driver, folder, name):
            sys.exit(problem)
        else:
            print(name, "launched by Triton", triton.__version__)


main()
