// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/PtxTranslation.h"

#include "compiler/RegisterAll.h"
#include "compiler/emit/DurableFile.h"
#include "compiler/emit/PtxEmitter.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>

namespace weft {
namespace {

namespace fs = std::filesystem;

struct Options {
  llvm::cl::opt<std::string> target{"ptx-target", llvm::cl::init(""),
                                    llvm::cl::desc("--weft-to-ptx: compile for this, such as sm_80, and not for what "
                                                   "the module's weft.target says")};
  llvm::cl::opt<std::string> kernel{"ptx-kernel", llvm::cl::init(""),
                                    llvm::cl::desc("--weft-to-ptx: print this kernel alone")};
  llvm::cl::opt<std::string> folder{"ptx-dir", llvm::cl::init(""),
                                    llvm::cl::desc("--weft-to-ptx: also write NAME.ptx and NAME.json here")};
};

/// What `--ptx-target` or the module names; null: neither, or no GPU.
const Target *chosenTarget(mlir::ModuleOp module, const Options &options) {
  std::string name = options.target;
  if (auto attribute = module->getAttrOfType<TargetAttr>("weft.target"); name.empty() && attribute)
    name = attribute.getIsa().str();
  const Target *target = findTarget(name);
  return target && target->isGpu() ? target : nullptr;
}

Result<void> writeKernel(const Kernel &kernel, const fs::path &folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return cannotWrite(folder, error.value());
  if (Result<void> written = writeFile(folder / (kernel.name + ".ptx"), kernel.ptx); !written)
    return written;
  return writeFile(folder / (kernel.name + ".json"), metadataText(kernel));
}

Result<void> printKernels(mlir::ModuleOp module, const Options &options, llvm::raw_ostream &output) {
  const Target *target = chosenTarget(module, options);
  if (!target)
    return Diagnostic{"W0610", "the module says no GPU that it is for", "weft.target", "use --ptx-target=sm_90a"};
  Result<std::vector<Kernel>> kernels = emitKernels(module, *target);
  if (!kernels)
    return kernels.takeError();
  for (const Kernel &kernel : *kernels) {
    if (!options.kernel.empty() && kernel.name != options.kernel)
      continue;
    output << "// " << kernel.name << ": " << kernel.threads << " threads, " << kernel.sharedBytes
           << " bytes of dynamic shared memory\n"
           << kernel.ptx;
    if (options.folder.empty())
      continue;
    if (Result<void> written = writeKernel(kernel, options.folder.getValue()); !written)
      return written;
  }
  return {};
}

} // namespace

void registerPtxTranslation() {
  static Options options;
  mlir::TranslateFromMLIRRegistration(
      "weft-to-ptx", "the kernels of a module after its last phase as PTX",
      [](mlir::Operation *op, llvm::raw_ostream &output) -> llvm::LogicalResult {
        auto module = llvm::dyn_cast<mlir::ModuleOp>(op);
        if (!module)
          return op->emitError("is no builtin.module");
        if (Result<void> printed = printKernels(module, options, output); !printed) {
          llvm::errs() << printed.error().format();
          return mlir::failure();
        }
        return mlir::success();
      },
      [](mlir::DialectRegistry &registry) { registerAllDialects(registry); });
}

} // namespace weft
