# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times Weft on two threads beside one, and two models at once beside one after the other. Run by benchmarks/threads."""
