// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//   llvm.masked.store(<16 x i8> %v, %p, <i1 true, i1 false, …>)   becomes   store i8 (extractelement %v, 0), %p
#include "compiler/emit/LaneStores.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

#include <optional>

namespace weft {

/// The only lane that a constant mask leaves.
static std::optional<unsigned> onlyLane(llvm::Value *value) {
  auto *mask = llvm::dyn_cast<llvm::Constant>(value);
  if (!mask)
    return std::nullopt;
  std::optional<unsigned> only;
  for (unsigned lane = 0; lane < llvm::cast<llvm::FixedVectorType>(mask->getType())->getNumElements(); ++lane) {
    llvm::Constant *wanted = mask->getAggregateElement(lane);
    if (wanted && wanted->isNullValue())
      continue;
    if (!wanted || only)
      return std::nullopt;
    only = lane;
  }
  return only;
}

void storeLanesAlone(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
      if (!call || call->getIntrinsicID() != llvm::Intrinsic::masked_store)
        continue;
      std::optional<unsigned> lane = onlyLane(call->getArgOperand(2));
      if (!lane)
        continue;
      llvm::IRBuilder<> b(call);
      llvm::Value *element = b.CreateExtractElement(call->getArgOperand(0), *lane);
      llvm::Value *place = b.CreateConstInBoundsGEP1_64(element->getType(), call->getArgOperand(1), *lane);
      uint64_t offset = *lane * module.getDataLayout().getTypeStoreSize(element->getType());
      b.CreateAlignedStore(element, place, llvm::commonAlignment(call->getParamAlign(1).valueOrOne(), offset));
      call->eraseFromParent();
    }
}

} // namespace weft
