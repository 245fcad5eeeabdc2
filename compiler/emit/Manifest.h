// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// manifest.json: which ABI, compiler and targets an artifact has, and the length and XXH3-128 digest of its files, by
// which the runtime knows that they are whole before it loads them.
#ifndef WEFT_COMPILER_EMIT_MANIFEST_H
#define WEFT_COMPILER_EMIT_MANIFEST_H

#include "compiler/Target.h"
#include "compiler/emit/ModelDescription.h"
#include "compiler/include/weft/Compiler.h"

#include <filesystem>

namespace weft {

/// The text for the files `names` in `directory`; `work` is by entry. Errors: W0101.
Result<std::string> manifestText(const ModelDescription &model, const std::vector<const Target *> &targets,
                                 const std::filesystem::path &directory, const std::vector<std::string> &names,
                                 const std::string &source, const std::map<std::string, Work> &work);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_MANIFEST_H
