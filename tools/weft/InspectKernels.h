// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft inspect --kernels: what a static model says of a GPU's kernels.
#ifndef WEFT_TOOLS_WEFT_INSPECTKERNELS_H
#define WEFT_TOOLS_WEFT_INSPECTKERNELS_H

#include "tools/weft/Command.h"

namespace weft::cli {

/// `path` is a model, which is compiled for `targets`; an artifact, whose kernels are read; or a .ptx file. Where
/// `against` names another .ptx file, both are compared, for each operation of their main loops.
Result<void> inspectKernels(const std::string &path, const std::vector<std::string> &targets,
                            const std::string &against, bool json);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_INSPECTKERNELS_H
