// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Hugging Face folder into a module: of an encoder with the entry `encode`, of a causal model with `forward`,
// `prefill` and `decode`. config.json says the architecture and sizes, architectures[0] the head, modules.json
// (SentenceTransformers) the pooling. Weights are checked, not read.
#ifndef WEFT_FRONTENDS_HF_HUGGINGFACE_H
#define WEFT_FRONTENDS_HF_HUGGINGFACE_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/hf/Config.h"
#include "frontends/weights/WeightStore.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <filesystem>
#include <map>
#include <string>

namespace weft {

struct ImportOptions {
  /// Inclusive bounds of "batch" and "sequence"; absent ones are batch 1..64 and sequence 1..what the model can.
  std::map<std::string, std::pair<int64_t, int64_t>> dimBounds;
  /// Keys and values of texts that are continued lie in pages of so many positions; 0: in one piece for each text.
  int64_t pageLength = 0;
};

/// Imports the model of `folder`. `weights` are the folder's; they learn the base model's prefix, so that every name
/// that a weft.parameter reads (its `sources`, else its `name`) is one that they find.
Result<mlir::OwningOpRef<mlir::ModuleOp>> importHuggingFace(mlir::MLIRContext &context,
                                                            const std::filesystem::path &folder, WeightStore &weights,
                                                            const ImportOptions &options = {});

/// The same, with the weights opened and closed again.
Result<mlir::OwningOpRef<mlir::ModuleOp>>
importHuggingFace(mlir::MLIRContext &context, const std::filesystem::path &folder, const ImportOptions &options = {});

/// The same for a configuration and weights that lie in no folder: there is no pooling, and `config` names the tokens
/// that end a text.
Result<mlir::OwningOpRef<mlir::ModuleOp>> importConfig(mlir::MLIRContext &context, Config config, WeightStore &weights,
                                                       const ImportOptions &options = {});

/// Makes `weft-translate --import-hf FOLDER/config.json` known.
void registerHuggingFaceTranslation();

} // namespace weft

#endif // WEFT_FRONTENDS_HF_HUGGINGFACE_H
