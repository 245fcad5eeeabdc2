// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where an entry knows which experts its products will read, it tells the runtime (runtime/include/weft/abi.h):
//   call @dispatch(…, %offsets)
//   services->experts_chosen(call, %weight, bytes of an expert, %offsets, experts)   for each weight read by them
//   …
//   call @experts(…, %weight, …, %offsets, …)
// As early as the offsets are known, which is a layer before where experts are chosen from the layer before.
#include "lowering/cpu/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "runtime/include/weft/abi.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

#include <cstddef>

namespace weft {
#define GEN_PASS_DEF_ANNOUNCEEXPERTS
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Weights that come from the file, and the call after which their offsets are known.
struct Announcement {
  func::CallOp after;
  Value weight, offsets;
};

/// The first argument with this name, from `first` on; the number of arguments: none.
unsigned findArgument(func::FuncOp callee, StringRef name, unsigned first = 0) {
  auto isNamed = [&](unsigned i) {
    auto given = callee.getArgAttrOfType<StringAttr>(i, "weft.experts");
    return given && given.getValue() == name;
  };
  unsigned i = first;
  while (i < callee.getNumArguments() && !isNamed(i))
    ++i;
  return i;
}

/// The first call that is given the offsets, before the one that reads them as such: the one that writes them.
func::CallOp writerOf(Value offsets, func::CallOp reader) {
  func::CallOp first;
  for (Operation *user : offsets.getUsers())
    if (auto call = dyn_cast<func::CallOp>(user); call && call->getBlock() == reader->getBlock())
      if (!first || call->isBeforeInBlock(first))
        first = call;
  return first == reader ? func::CallOp() : first;
}

SmallVector<Announcement> planAnnouncements(func::FuncOp entry, SymbolTable &symbols) {
  SmallVector<Announcement> plan;
  for (auto call : entry.getOps<func::CallOp>()) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    unsigned offsets = findArgument(callee, "offsets");
    if (offsets == callee.getNumArguments())
      continue;
    func::CallOp writer = writerOf(call.getOperand(offsets), call);
    for (unsigned i = findArgument(callee, "weight"); writer && i < callee.getNumArguments();
         i = findArgument(callee, "weight", i + 1))
      if (call.getOperand(i).getDefiningOp<ParameterOp>())
        plan.push_back({writer, call.getOperand(i), call.getOperand(offsets)});
  }
  return plan;
}

class Announcer {
public:
  Announcer(func::FuncOp entry, LLVMTypeConverter &types) : call(entry.getArgument(0)), types(types) {}

  void apply(Announcement plan) {
    if (Operation *parameter = plan.weight.getDefiningOp(); !parameter->isBeforeInBlock(plan.after))
      parameter->moveBefore(plan.after);
    OpBuilder b(plan.after);
    b.setInsertionPointAfter(last.lookup(plan.after) ? last.lookup(plan.after) : plan.after.getOperation());
    Location loc = plan.after.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    auto loadAt = [&](Value base, int64_t bytes) -> Value {
      Value place = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
      return LLVM::LoadOp::create(b, loc, pointer, place);
    };
    auto type = cast<MemRefType>(plan.weight.getType());
    int64_t experts = type.getDimSize(0), bytes = type.getElementTypeBitWidth() / 8;
    for (int64_t extent : type.getShape().drop_front())
      bytes *= extent;
    Value services = loadAt(call, offsetof(weft_abi_call, services));
    Value chosen = loadAt(services, offsetof(weft_abi_services, experts_chosen));
    Value operands[] = {chosen,
                        call,
                        pointerTo(b, loc, plan.weight),
                        constant(b, loc, bytes),
                        pointerTo(b, loc, plan.offsets),
                        constant(b, loc, experts)};
    auto function = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                                {pointer, pointer, b.getI64Type(), pointer, b.getI64Type()});
    last[plan.after] = LLVM::CallOp::create(b, loc, function, operands);
  }

private:
  Value constant(OpBuilder &b, Location loc, int64_t value) {
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
  }
  /// Where a dense memref's elements begin.
  Value pointerTo(OpBuilder &b, Location loc, Value memref) {
    Value record = UnrealizedConversionCastOp::create(b, loc, types.convertType(memref.getType()), memref).getResult(0);
    return MemRefDescriptor(record).alignedPtr(b, loc);
  }

  Value call;
  LLVMTypeConverter &types;
  llvm::DenseMap<Operation *, Operation *> last; ///< after a call, so that weights are told in the order of their use
};

struct AnnounceExpertsPass : impl::AnnounceExpertsBase<AnnounceExpertsPass> {
  void runOnOperation() override {
    LLVMTypeConverter types(&getContext());
    SymbolTable symbols(getOperation());
    for (auto entry : getOperation().getOps<func::FuncOp>()) {
      if (!entry->hasAttr("weft.entry"))
        continue;
      Announcer announcer(entry, types);
      for (Announcement plan : planAnnouncements(entry, symbols))
        announcer.apply(plan);
    }
  }
};

} // namespace
} // namespace weft
