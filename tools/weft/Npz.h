// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's archive of named arrays (.npz): a zip file with a .npy file for each.
#ifndef WEFT_TOOLS_WEFT_NPZ_H
#define WEFT_TOOLS_WEFT_NPZ_H

#include "compiler/include/weft/Compiler.h"

#include <string>
#include <vector>

namespace weft::cli {

/// More than the inputs of any call; an archive can claim a thousand times what it has.
constexpr uint64_t kMaxNpzBytes = uint64_t(4) << 30;

/// W0505: the archive or an array in it is malformed, or it holds more than kMaxNpzBytes.
Result<std::vector<Array>> readNpz(const std::string &path);

/// W0509: it cannot be written. Whole or not at all.
Result<void> writeNpz(const std::string &path, const std::vector<Array> &arrays);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_NPZ_H
