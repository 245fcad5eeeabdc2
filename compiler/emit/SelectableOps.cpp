// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/SelectableOps.h"

#include "compiler/IsolatedModule.h"
#include "compiler/emit/GuardedCodegen.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Intrinsics.h"

#include <optional>

namespace weft {
namespace {

/// Intrinsics of LLVM, without "llvm.", that have instructions or expansions for every type that a kernel computes in:
/// f16, bf16, f32, f64, integers, and vectors of them. test/compiler/ptx-selectable.test has each.
const llvm::StringSet<> &selectableIntrinsics() {
  static const llvm::StringSet<> names = {"abs",
                                          "assume",
                                          "bitreverse",
                                          "bswap",
                                          "ceil",
                                          "copysign",
                                          "ctlz",
                                          "ctpop",
                                          "cttz",
                                          "expect",
                                          "fabs",
                                          "floor",
                                          "fma",
                                          "fmuladd",
                                          "fshl",
                                          "fshr",
                                          "lifetime.end",
                                          "lifetime.start",
                                          "maximum",
                                          "maxnum",
                                          "memcpy",
                                          "memmove",
                                          "memset",
                                          "minimum",
                                          "minnum",
                                          "nearbyint",
                                          "rint",
                                          "round",
                                          "roundeven",
                                          "sadd.sat",
                                          "sadd.with.overflow",
                                          "smax",
                                          "smin",
                                          "smul.with.overflow",
                                          "sqrt",
                                          "ssub.sat",
                                          "ssub.with.overflow",
                                          "trunc",
                                          "uadd.sat",
                                          "uadd.with.overflow",
                                          "umax",
                                          "umin",
                                          "umul.with.overflow",
                                          "usub.sat",
                                          "usub.with.overflow",
                                          "vector.reduce.add",
                                          "vector.reduce.and",
                                          "vector.reduce.fadd",
                                          "vector.reduce.fmax",
                                          "vector.reduce.fmin",
                                          "vector.reduce.fmul",
                                          "vector.reduce.mul",
                                          "vector.reduce.or",
                                          "vector.reduce.smax",
                                          "vector.reduce.smin",
                                          "vector.reduce.umax",
                                          "vector.reduce.umin",
                                          "vector.reduce.xor"};
  return names;
}

bool isApproximate(mlir::Operation *op) {
  auto fast = llvm::dyn_cast<mlir::LLVM::FastmathFlagsInterface>(op);
  return fast && mlir::LLVM::bitEnumContainsAll(fast.getFastmathAttr().getValue(), mlir::LLVM::FastmathFlags::afn);
}

/// Why an intrinsic of LLVM ("exp2") cannot be selected; nullopt: it can.
std::optional<std::string> refuseIntrinsic(mlir::Operation *op, llvm::StringRef name) {
  if (selectableIntrinsics().contains(name))
    return std::nullopt;
  mlir::Type type = op->getNumResults() ? mlir::getElementTypeOrSelf(op->getResult(0)) : mlir::Type();
  bool isDouble = type && type.isF64();
  if (name == "exp2") // ex2.approx, also of f16 and bf16
    return isDouble ? std::optional<std::string>("a GPU has exp2 of f32, f16 and bf16 only") : std::nullopt;
  if (name == "sin" || name == "cos" || name == "tanh") { // sin.approx, cos.approx, tanh.approx
    if (!isDouble && isApproximate(op))
      return std::nullopt;
    return "a GPU has " + name.str() + " only approximately and not of f64: it needs the flag afn, or an expansion";
  }
  return "a GPU has no instruction for it and there is no library: it must be expanded";
}

using SmVersion = mlir::NVVM::NVVMCheckSMVersion;

/// What operations of nvvm need that do not say so themselves (PTX ISA 8.3, "Target ISA Notes").
std::optional<SmVersion> requiredVersion(llvm::StringRef name) {
  for (llvm::StringRef prefix : {"wgmma.", "setmaxregister"})
    if (name.starts_with(prefix))
      return SmVersion(/*archAccelerated=*/true, 90);
  for (llvm::StringRef prefix : {"cp.async.bulk", "cluster", "elect.sync", "stmatrix", "fence.proxy", "fence.mbarrier",
                                 "mbarrier.try_wait", "mbarrier.arrive.expect_tx", "griddepcontrol", "mapa"})
    if (name.starts_with(prefix))
      return SmVersion(/*archAccelerated=*/false, 90);
  return std::nullopt;
}

std::optional<std::string> refuseNvvm(mlir::Operation *op, const Target &target) {
  std::optional<SmVersion> required = requiredVersion(op->getName().stripDialect());
  if (auto declared = llvm::dyn_cast<mlir::NVVM::RequiresSMInterface>(op))
    required = declared.getRequiredMinSMVersion();
  if (!required || required->isCompatibleWith(SmVersion(target.capabilityOnly, target.capability)))
    return std::nullopt;
  return "it needs sm_" + std::to_string(required->smVersionList.front()) +
         (required->archAccelerated ? "a" : " or later");
}

/// A call by name of one of LLVM's intrinsics.
std::optional<std::string> refuseIntrinsicCall(mlir::LLVM::CallIntrinsicOp call) {
  llvm::StringRef name = call.getIntrin();
  llvm::Intrinsic::ID id = llvm::Intrinsic::lookupIntrinsicID(name);
  if (id == llvm::Intrinsic::not_intrinsic)
    return "LLVM has no intrinsic '" + name.str() + "'";
  if (name.starts_with("llvm.nvvm."))
    return std::nullopt;
  return refuseIntrinsic(call, llvm::Intrinsic::getBaseName(id).drop_front(strlen("llvm.")));
}

/// Why an operation cannot be selected; nullopt: as far as is known, it can.
std::optional<std::string> refuse(mlir::Operation *op, mlir::ModuleOp device, const Target &target) {
  llvm::StringRef dialect = op->getName().getDialectNamespace(), name = op->getName().stripDialect();
  if (dialect == "nvvm")
    return refuseNvvm(op, target);
  if (dialect != "llvm")
    return "the device's code consists of operations of the llvm and nvvm dialects";
  if (auto call = llvm::dyn_cast<mlir::LLVM::CallIntrinsicOp>(op))
    return refuseIntrinsicCall(call);
  if (name.consume_front("intr."))
    return refuseIntrinsic(op, name);
  if (auto call = llvm::dyn_cast<mlir::LLVM::CallOp>(op)) {
    std::optional<llvm::StringRef> callee = call.getCallee();
    auto function = callee ? device.lookupSymbol<mlir::LLVM::LLVMFuncOp>(*callee) : nullptr;
    if (!function || function.isExternal())
      return callee ? "the device's code has no function '" + callee->str() + "'"
                    : std::string("calls through pointers are not made");
  }
  return std::nullopt;
}

} // namespace

Result<void> checkSelectable(mlir::ModuleOp device, const Target &target) {
  std::optional<Diagnostic> error;
  device.walk([&](mlir::Operation *op) {
    if (op == device)
      return mlir::WalkResult::advance();
    std::optional<std::string> reason = refuse(op, device, target);
    if (!reason)
      return mlir::WalkResult::advance();
    std::string what = op->getName().getStringRef().str();
    error = emissionFailed(placeOf(op->getLoc()), what + " cannot be selected for " + target.isa + ": " + *reason);
    return mlir::WalkResult::interrupt();
  });
  return error ? Result<void>(std::move(*error)) : Result<void>();
}

} // namespace weft
