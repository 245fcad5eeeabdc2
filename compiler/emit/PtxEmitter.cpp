// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/PtxEmitter.h"

#include "compiler/IsolatedModule.h"
#include "compiler/emit/DeviceModule.h"
#include "compiler/emit/GuardedCodegen.h"
#include "compiler/emit/Optimizer.h"
#include "compiler/emit/SelectableOps.h"
#include "compiler/estimate/PtxText.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <mutex>

namespace weft {
namespace {

constexpr const char *kTriple = "nvptx64-nvidia-cuda";

/// Pointers to shared memory in 32 bits, as Triton has them: half the registers for addresses. LLVM has this as an
/// option of the process, which nothing but the NVPTX back end reads.
void shortenSharedPointers() {
  auto &options = llvm::cl::getRegisteredOptions();
  auto found = options.find("nvptx-short-ptr");
  assert(found != options.end() && "LLVM 22's NVPTX back end has this option");
  static_cast<llvm::cl::opt<bool> *>(found->second)->setValue(true);
}

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const Target &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    shortenSharedPointers();
  });
  std::string error;
  llvm::Triple triple(kTriple);
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, error);
  assert(backend && "the NVPTX back end was registered above");
  llvm::TargetOptions options;
  // Only llvm.fmuladd fuses, as on processors.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(triple, target.cpu, target.features, options,
                                                                           llvm::Reloc::PIC_, std::nullopt,
                                                                           llvm::CodeGenOptLevel::Aggressive));
}

/// MLIR 22 has no way to say that inline assembly is convergent, and LLVM's passes move what is not: `bar.sync` into
/// both sides of a divergent branch.
void markAssemblyConvergent(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && call->isInlineAsm())
        call->setConvergent();
}

/// One kernel with what it calls, as a module of its own.
std::unique_ptr<llvm::Module> extractKernel(llvm::Module &whole, llvm::StringRef kernel) {
  llvm::ValueToValueMapTy values;
  auto isWanted = [&](const llvm::GlobalValue *value) {
    bool isOtherKernel = value->hasExternalLinkage() && llvm::isa<llvm::Function>(value) && value->getName() != kernel;
    return !isOtherKernel;
  };
  std::unique_ptr<llvm::Module> alone = llvm::CloneModule(whole, values, isWanted);
  for (llvm::Function &function : llvm::make_early_inc_range(*alone))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
  alone->setModuleIdentifier(kernel);
  alone->setSourceFileName(kernel);
  return alone;
}

/// The name of a function that the optimised module calls and does not have; empty: none.
std::string missingFunction(const llvm::Module &module) {
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty())
      return function.getName().str();
  return "";
}

/// How many registers a thread may have where so many are alive in the text; 0: as many as ptxas likes. Steps and
/// places of the steps are from 225 kernels of 35 models through ptxas 13.0, of which none spills so that needs fewer
/// than 255.
int32_t registerBound(int32_t alive) {
  return alive < 60 ? 0 : alive <= 68 ? 96 : alive <= 90 ? 128 : alive <= 150 ? 168 : 255;
}

/// Left to itself, ptxas spills some registers to have one more block on an SM. Said how many blocks there are to be at
/// least, it takes what that leaves, and nothing is spilled. Kernels that need few would only fill what they are
/// allowed, so of them nothing is said.
std::string withRoomForRegisters(std::string ptx, int32_t threads) {
  constexpr int32_t kOfSm = 65536;
  Result<PtxKernelText> text = readPtx(ptx, "");
  bool isBounded = ptx.find(".maxnreg") != std::string::npos || ptx.find(".minnctapersm") != std::string::npos;
  int32_t bound = text && !isBounded ? registerBound(liveRegisters(*text)) : 0;
  if (bound == 0)
    return ptx;
  size_t end = ptx.find('\n', ptx.find(".reqntid"));
  int32_t blocks = std::max(1, kOfSm / (bound * threads));
  return ptx.insert(end + 1, ".minnctapersm " + std::to_string(blocks) + "\n");
}

class Emission {
public:
  explicit Emission(const Target &target)
      : target(target), machine(makeTargetMachine(target)), context(std::make_unique<llvm::LLVMContext>()) {}

  /// The whole device module as LLVM IR. W0690.
  Result<void> translate(mlir::ModuleOp device) {
    mlir::MLIRContext *mlirContext = device.getContext();
    mlir::registerBuiltinDialectTranslation(*mlirContext);
    mlir::registerLLVMDialectTranslation(*mlirContext);
    mlir::registerNVVMDialectTranslation(*mlirContext);
    std::string layout = machine->createDataLayout().getStringRepresentation();
    device->setAttr("llvm.data_layout", mlir::StringAttr::get(mlirContext, layout));
    device->setAttr("llvm.target_triple", mlir::StringAttr::get(mlirContext, kTriple));
    whole = mlir::translateModuleToLLVMIR(device, *context, target.isa);
    if (!whole)
      return emissionFailed(target.isa, "the device's module after the last phase cannot be translated");
    markAssemblyConvergent(*whole);
    for (llvm::Function &function : *whole)
      if (!function.isDeclaration() && function.getCallingConv() != llvm::CallingConv::PTX_Kernel)
        function.setLinkage(llvm::GlobalValue::InternalLinkage);
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    return llvm::verifyModule(*whole, &stream) ? emissionFailed(target.isa, errors) : Result<void>();
  }

  /// The PTX of one kernel; `place` is the layer that it is of. W0690.
  Result<std::string> generate(llvm::StringRef kernel, llvm::StringRef place) {
    std::unique_ptr<llvm::Module> module = extractKernel(*whole, kernel);
    llvm::SmallVector<char, 0> text;
    std::string missing;
    GuardedRun run = runGuarded(*context, [&] {
      // The phases made pipelines of loops, of which LLVM's copies would double the matrix instructions.
      optimize(*module, *machine, llvm::OptimizationLevel::O2, /*unrollsLoops=*/false);
      missing = missingFunction(*module);
      if (!missing.empty())
        return;
      llvm::raw_svector_ostream stream(text);
      llvm::legacy::PassManager passes;
      [[maybe_unused]] bool refused =
          machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
      assert(!refused && "the NVPTX back end writes assembly");
      passes.run(*module);
    });
    std::string where = kernel.str() + (place.empty() ? "" : " (" + place.str() + ")");
    if (!run.survived)
      leakAll(std::move(module));
    if (!run.errors.empty())
      return emissionFailed(where, run.errors);
    if (!missing.empty())
      return emissionFailed(where, "the kernel calls '" + missing + "', which no GPU has");
    return std::string(text.begin(), text.end());
  }

private:
  /// After a crash nobody knows what the module is in the middle of.
  void leakAll(std::unique_ptr<llvm::Module> module) {
    leak(module);
    leak(whole);
    leak(context);
    leak(machine);
  }
  template <class T> static void leak(std::unique_ptr<T> &owner) { [[maybe_unused]] T *leaked = owner.release(); }

  const Target &target;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> whole;
};

} // namespace

Result<std::vector<Kernel>> emitKernels(mlir::ModuleOp module, const Target &target) {
  Result<DeviceModule> device = DeviceModule::take(module, target);
  if (!device)
    return device.takeError();
  if (Result<void> checked = checkSelectable(device->get(), target); !checked)
    return checked.takeError();
  if (Result<void> expanded = device->expandAssembly(); !expanded)
    return expanded.takeError();
  Emission emission(target);
  if (Result<void> translated = emission.translate(device->get()); !translated)
    return translated.takeError();
  std::vector<Kernel> kernels;
  for (const DeviceKernel &described : device->kernels()) {
    if (described.sameAs) {
      kernels.push_back(kernels[*described.sameAs]);
      continue;
    }
    Result<std::string> ptx = emission.generate(described.name, described.place);
    if (!ptx)
      return ptx.takeError();
    kernels.push_back({described.name, target.isa, withRoomForRegisters(std::move(*ptx), described.threads),
                       described.threads, described.sharedBytes, described.scratchBytes, described.parameters});
  }
  return kernels;
}

Result<std::vector<Kernel>> takeKernels(mlir::ModuleOp module, const Target &target) {
  Result<std::vector<Kernel>> kernels = emitKernels(module, target);
  if (kernels)
    for (auto device : llvm::make_early_inc_range(module.getOps<mlir::gpu::GPUModuleOp>()))
      device->erase();
  return kernels;
}

} // namespace weft
