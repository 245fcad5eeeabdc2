# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Launches kernels of one PTX text with the command ptxsim, arrays in and out as .npz."""
import os
import subprocess

import numpy


class Runner:

    def __init__(self, ptxsim, folder, text):
        os.makedirs(folder, exist_ok=True)
        self.ptxsim, self.folder, self.ptx = ptxsim, folder, os.path.join(folder, "kernels.ptx")
        with open(self.ptx, "w", encoding="utf-8") as file:
            file.write(text)

    def __call__(self, kernel, arrays, arguments, grid=1, block=32):
        """The arrays after the launch. An argument is an array's name, an int (s32), or text that ptxsim takes."""
        inputs, outputs = (os.path.join(self.folder, name) for name in ("in.npz", "out.npz"))
        numpy.savez(inputs, **arrays)
        command = [self.ptxsim, "run", self.ptx, "--kernel", kernel, "--grid", str(grid), "--block", str(block),
                   "--inputs", inputs, "--outputs", outputs]
        for argument in arguments:
            if isinstance(argument, int):
                argument = f"s32:{argument}"
            command += ["--arg", f"array:{argument}" if argument in arrays else argument]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return dict(numpy.load(outputs))


def agree(name, got, want, tolerance):
    """`tolerance` is relative to 1 + |want|."""
    error = numpy.max(numpy.abs(got.astype(numpy.float64) - want) / (1 + numpy.abs(want))) if tolerance else 0
    assert (error <= tolerance) if tolerance else numpy.array_equal(got, want), (name, error, got, want)
    print(f"{name}: agrees with NumPy")
