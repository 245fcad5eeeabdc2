# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Runs every GoogleTest program that weft_add_unittest declared. One that was not built is an error, not a gap.
import os

import lit.formats

config.name = "unit"
config.test_source_root = config.test_exec_root = config.unit_build

names = [name for name in config.weft_unittests if name]
missing = [name for name in names if not os.path.exists(os.path.join(config.unit_build, name))]
if missing:
    lit_config.fatal("unit tests are not built: " + ", ".join(missing))

config.test_format = lit.formats.GoogleTest("", "_test")
config.test_format.test_suffixes = set(names)
