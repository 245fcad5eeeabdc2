// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// #weft.target → rows, vectors and unrolling of a register tile.
#include "lowering/analysis/RegisterPlan.h"

using namespace mlir;

namespace weft {

bool isDevice(TargetAttr target) { return target.getIsa().starts_with("sm_"); }

RegisterPlan RegisterPlan::forTarget(TargetAttr target) {
  RegisterPlan plan;
  plan.lanes = target.getLanes();
  plan.vectors = 2;
  // 32 registers: 14 × 2 accumulators; 16 registers: 6 × 2.
  plan.rows = (target.getRegisters() - plan.vectors - 1) / plan.vectors;
  // A short tile's loop of 12 multiply-adds is bound by loop control unless unrolled. (Products unroll tall ones, too.)
  plan.unroll = plan.rows >= 8 ? 1 : 4;
  plan.fused = target.getIsa() != "portable";
  StringRef isa = target.getIsa();
  bool emulated = isa == "v4-bf16-vectors";
  plan.avx512 = llvm::is_contained({"v4", "v4-vnni", "v4-bf16", "amx"}, isa);
  plan.bfloat = isa == "v4-bf16" || isa == "amx";
  plan.vnni = plan.bfloat || isa == "v4-vnni";
  plan.byteDots = plan.vnni || emulated;
  plan.device = isDevice(target);
  plan.halfDots = isa == "v4-bf16" || emulated;
  return plan;
}

FailureOr<TargetAttr> targetOf(ModuleOp module) {
  auto target = module->getAttrOfType<TargetAttr>("weft.target");
  if (!target)
    return module.emitError("needs the module attribute 'weft.target'");
  return target;
}

FailureOr<RegisterPlan> registerPlanOf(ModuleOp module) {
  FailureOr<TargetAttr> target = targetOf(module);
  if (failed(target))
    return failure();
  return RegisterPlan::forTarget(*target);
}

} // namespace weft
