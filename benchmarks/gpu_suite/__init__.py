# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weft's kernels for GPUs beside Triton's, by the static model of `weft inspect --kernels`."""
