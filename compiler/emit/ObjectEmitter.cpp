// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/ObjectEmitter.h"

#include "compiler/emit/GuardedCodegen.h"
#include "compiler/emit/LaneStores.h"
#include "compiler/emit/Optimizer.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>
#include <set>

namespace weft {
namespace {

constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

std::unique_ptr<llvm::TargetMachine> makeTargetMachine(llvm::StringRef cpu, llvm::StringRef features) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
  });
  std::string error;
  llvm::Triple triple(kTriple);
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, error);
  assert(backend && "the X86 back end was registered above");
  llvm::TargetOptions options;
  // Only llvm.fmuladd fuses: a product and a sum written apart stay apart, so that targets can agree.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, cpu, features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

/// Gives entries their variant's symbols and hides everything from the linker's export list.
void nameSymbols(llvm::Module &module, const Target &target, const std::vector<std::string> &entries) {
  std::set<llvm::Function *> roots;
  for (const std::string &entry : entries)
    for (const char *what : {"run", "arena"})
      if (llvm::Function *function = module.getFunction("weft_" + entry + "_" + what)) {
        function->setName(variantSymbol(entry, what, target));
        function->setLinkage(llvm::GlobalValue::ExternalLinkage);
        function->setVisibility(llvm::GlobalValue::HiddenVisibility);
        roots.insert(function);
      }
  for (llvm::GlobalValue &value : module.global_values()) {
    auto *function = llvm::dyn_cast<llvm::Function>(&value);
    if (!value.isDeclaration() && !(function && roots.count(function)))
      value.setLinkage(llvm::GlobalValue::InternalLinkage);
  }
}

void setFunctionAttributes(llvm::Module &module, const Target &target) {
  std::string width = std::to_string(target.lanes * 32);
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    if (*target.features)
      function.addFnAttr("target-features", target.features);
    function.addFnAttr("prefer-vector-width", width);
    function.addFnAttr("min-legal-vector-width", width);
    function.setDoesNotThrow();
    function.setUWTableKind(llvm::UWTableKind::None);
  }
}

Result<Object> generate(llvm::Module &module, llvm::TargetMachine &machine, std::string name) {
  module.setTargetTriple(llvm::Triple(kTriple));
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
  module.setSourceFileName(name);
  module.setModuleIdentifier(name);
  std::string errors;
  llvm::raw_string_ostream verifierErrors(errors);
  if (llvm::verifyModule(module, &verifierErrors))
    return emissionFailed(name, errors);

  llvm::SmallVector<char, 0> bytes;
  GuardedRun run = runGuarded(module.getContext(), [&] {
    optimize(module, machine, llvm::OptimizationLevel::O1, /*unrollsLoops=*/true);
    storeLanesAlone(module);
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    [[maybe_unused]] bool refused =
        machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
    assert(!refused && "the X86 back end writes objects");
    passes.run(module);
  });
  if (!run.errors.empty())
    return emissionFailed(name, run.errors);
  return Object{std::move(name), std::string(bytes.begin(), bytes.end())};
}

} // namespace

std::string variantSymbol(llvm::StringRef entry, llvm::StringRef what, const Target &target) {
  return ("weft_" + entry + "_" + what + "_" + target.isa).str();
}

Result<Object> emitObject(mlir::ModuleOp module, const Target &target, const std::vector<std::string> &entries) {
  mlir::registerBuiltinDialectTranslation(*module->getContext());
  mlir::registerLLVMDialectTranslation(*module->getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated = mlir::translateModuleToLLVMIR(module, context, target.isa);
  if (!translated)
    return emissionFailed(target.isa, "the module after the last phase cannot be translated");
  for (const std::string &entry : entries)
    if (!translated->getFunction("weft_" + entry + "_run") || !translated->getFunction("weft_" + entry + "_arena"))
      return emissionFailed(target.isa, "the phases made no function for entry '" + entry + "'");
  nameSymbols(*translated, target, entries);
  const Target &processor = target.isGpu() ? hostTarget() : target;
  setFunctionAttributes(*translated, processor);
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(processor.cpu, processor.features);
  return generate(*translated, *machine, target.isa);
}

Result<Object> emitData(llvm::Module &module, std::string name) {
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine("x86-64", "");
  return generate(module, *machine, std::move(name));
}

} // namespace weft
