// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `weft-translate --import-hf FOLDER/config.json`: the imported program as text.
#include "frontends/hf/HuggingFace.h"

#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace weft {

static OwningOpRef<Operation *> importFolderOf(llvm::SourceMgr &sources, MLIRContext *context) {
  llvm::StringRef config = sources.getMemoryBuffer(sources.getMainFileID())->getBufferIdentifier();
  Result<OwningOpRef<ModuleOp>> module = importHuggingFace(*context, std::filesystem::path(config.str()).parent_path());
  if (module)
    return OwningOpRef<Operation *>(module->release());
  llvm::errs() << module.error().format();
  return {};
}

void registerHuggingFaceTranslation() {
  static TranslateToMLIRRegistration registration("import-hf", "import a Hugging Face folder, given its config.json",
                                                  importFolderOf);
}

} // namespace weft
