// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/IsolatedModule.h"

#include "compiler/RegisterAll.h"
#include "compiler/include/weft/Compiler.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"

namespace weft {
namespace {

mlir::DialectRegistry allDialects() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

/// "scalar-loop: the extent is dynamic; give it a bound"
std::string textOf(const mlir::remark::detail::Remark &remark) {
  std::string text = remark.getRemarkName().str();
  for (const auto &argument : remark.getArgs())
    text += (text.size() == remark.getRemarkName().size() ? ": " : "; ") + argument.val;
  return text;
}

/// Hands missed optimisations on; what went well is no news.
class RemarkListener : public mlir::remark::detail::MLIRRemarkStreamerBase {
public:
  RemarkListener(std::vector<Remark> &remarks, const std::string &phase) : remarks(remarks), phase(phase) {}

  void streamOptimizationRemark(const mlir::remark::detail::Remark &remark) override {
    llvm::remarks::Type type = remark.getRemarkType();
    if (type == llvm::remarks::Type::Missed || type == llvm::remarks::Type::Failure)
      remarks.push_back({phase, placeOf(remark.getLocation()), textOf(remark)});
  }

private:
  std::vector<Remark> &remarks;
  const std::string &phase;
};

} // namespace

std::string placeOf(mlir::Location location) {
  if (auto name = llvm::dyn_cast<mlir::NameLoc>(location))
    return name.getName().str();
  if (auto file = llvm::dyn_cast<mlir::FileLineColLoc>(location))
    return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  if (auto call = llvm::dyn_cast<mlir::CallSiteLoc>(location))
    return placeOf(call.getCallee());
  if (auto fused = llvm::dyn_cast<mlir::FusedLoc>(location))
    for (mlir::Location part : fused.getLocations())
      if (std::string place = placeOf(part); !place.empty())
        return place;
  return "";
}

std::string printModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream, mlir::OpPrintingFlags().enableDebugInfo(true, /*prettyForm=*/false));
  return text + "\n";
}

IsolatedModule::IsolatedModule(mlir::ModuleOp original, bool wantsRemarks)
    : context(allDialects(), mlir::MLIRContext::Threading::DISABLED) {
  std::string bytes;
  llvm::raw_string_ostream stream(bytes);
  [[maybe_unused]] mlir::LogicalResult written = mlir::writeBytecodeToFile(original, stream);
  assert(llvm::succeeded(written) && "the newest bytecode version can hold any module");
  listen(wantsRemarks);
  module = mlir::parseSourceString<mlir::ModuleOp>(bytes, &context);
  assert(module && "bytecode that was just written can be read");
}

IsolatedModule::~IsolatedModule() = default;

std::vector<Remark> IsolatedModule::takeRemarks() { return std::move(remarks); }

void IsolatedModule::listen(bool wantsRemarks) {
  context.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      errors.push_back({diagnostic.str(), placeOf(diagnostic.getLocation())});
    else if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark)
      remarks.push_back({phase, placeOf(diagnostic.getLocation()), diagnostic.str()});
  });
  if (!wantsRemarks)
    return;
  mlir::remark::RemarkCategories categories;
  categories.missed = categories.failed = ".*"; // `all` adds to a filter that is set, and makes none
  [[maybe_unused]] mlir::LogicalResult enabled =
      mlir::remark::enableOptimizationRemarks(context, std::make_unique<RemarkListener>(remarks, phase),
                                              std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), categories);
  assert(llvm::succeeded(enabled) && "the context had no remark engine");
}

} // namespace weft
