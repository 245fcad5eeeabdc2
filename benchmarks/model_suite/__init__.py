# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the programs that time whole causal models have in common: benchmarks/scan_models, benchmarks/expert_models."""
