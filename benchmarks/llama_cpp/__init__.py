# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""llama.cpp's tensor library ggml as a peer: built from source for this processor, called through its C interface."""
