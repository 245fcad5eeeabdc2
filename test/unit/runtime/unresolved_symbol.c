/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Makes a model.so that the dynamic loader refuses. */
extern int weft_symbol_that_nobody_defines(void);
int weft_test_use(void) { return weft_symbol_that_nobody_defines(); }
