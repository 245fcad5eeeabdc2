# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times Weft and its peers on all-MiniLM-L6-v2, interleaved in one run. Run by benchmarks/run."""
