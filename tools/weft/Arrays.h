// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named arrays in files, told apart by the file's ending, and shown in a few lines.
#ifndef WEFT_TOOLS_WEFT_ARRAYS_H
#define WEFT_TOOLS_WEFT_ARRAYS_H

#include "tools/weft/Command.h"

#include <string>
#include <vector>

namespace weft::cli {

/// .npz or .safetensors. W0505 (malformed), W0506 (another ending), W01xx (safetensors).
Result<std::vector<Array>> readArrays(const std::string &path);
/// The one array of a .npy file. W0505, W0101.
Result<Array> readArray(const std::string &path, const std::string &name);

/// W0506: the ending is neither .npz nor .safetensors. Checked before the work whose results are to be written.
Result<void> checkArraysPath(const std::string &path);
/// W0509: it cannot be written.
Result<void> writeArrays(const std::string &path, const std::vector<Array> &arrays);

/// "f32 [2, 384]".
std::string typeText(const Array &array);
/// Element `index` as a number; 0 for f16 and bf16, which are not shown.
double elementOf(const Array &array, size_t index);
size_t elementCount(const Array &array);

/// The whole array as nested JSON lists.
nlohmann::json toJson(const Array &array);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_ARRAYS_H
