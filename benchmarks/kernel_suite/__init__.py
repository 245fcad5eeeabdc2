# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times single kernels (products, attention, norms, scans) beside other libraries. Run by benchmarks/kernels."""
