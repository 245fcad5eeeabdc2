// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.forall → an outlined function over a range of items, run by the runtime's parallel_for:
//   func @k_items(%context: !llvm.ptr, %begin: i64, %end: i64) { load captured values; scf.for %item … { body } }
//   call services->parallel_for(call, @k_items, %context, count, cost)
// Every function gets the call record, `%call: !llvm.ptr`, as its first argument. Scratch (memref.alloca) moves to the
// outlined function's entry, so that a range of items uses one.
#include "lowering/cpu/Passes.h"

#include "lowering/analysis/ItemSpace.h"
#include "runtime/include/weft/abi.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Transforms/RegionUtils.h"

#include <cstddef>

namespace weft {
#define GEN_PASS_DEF_CONVERTFORALL
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Scratch in a loop would take more of the stack in every turn.
void hoistScratch(func::FuncOp function) {
  SmallVector<memref::AllocaOp> scratch;
  function.walk([&](memref::AllocaOp op) {
    if (op.getType().hasStaticShape())
      scratch.push_back(op);
  });
  for (memref::AllocaOp op : scratch)
    op->moveBefore(&function.front(), function.front().begin());
}

/// What one scf.forall becomes.
class ForallConversion {
public:
  ForallConversion(scf::ForallOp forall, LLVMTypeConverter &types, SymbolTable &symbols)
      : forall(forall), types(types), symbols(symbols), loc(forall.getLoc()),
        parent(forall->getParentOfType<func::FuncOp>()) {}

  void run() {
    collectCaptures();
    func::FuncOp body = createBody();
    emitCall(body);
    forall.erase();
  }

private:
  Type pointer() { return LLVM::LLVMPointerType::get(forall.getContext()); }
  Type wire(Value value) { return types.convertType(value.getType()); }

  /// Values of the parent that the body uses; constants are copied instead.
  void collectCaptures() {
    llvm::SetVector<Value> values;
    getUsedValuesDefinedAbove(forall.getRegion(), values);
    for (Value bound : forall.getDynamicLowerBound())
      values.insert(bound);
    for (Value bound : forall.getDynamicUpperBound())
      values.insert(bound);
    for (Value step : forall.getDynamicStep())
      values.insert(step);
    for (Value value : values) {
      Operation *definition = value.getDefiningOp();
      (definition && definition->hasTrait<OpTrait::ConstantLike>() ? constants : captures).push_back(value);
    }
    SmallVector<Type> fields;
    for (Value value : captures)
      fields.push_back(wire(value));
    context = LLVM::LLVMStructType::getLiteral(forall.getContext(), fields);
  }

  Value field(OpBuilder &b, Value base, int64_t index) {
    return LLVM::GEPOp::create(b, loc, pointer(), context, base,
                               ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(index)});
  }

  /// As the other type of the pair (memref or index, its LLVM form).
  Value cast(OpBuilder &b, Value value, Type type) {
    if (value.getType() == type)
      return value;
    return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0);
  }

  func::FuncOp createBody() {
    OpBuilder b(forall.getContext());
    b.setInsertionPointAfter(parent);
    Type i64 = b.getI64Type();
    auto type = b.getFunctionType({pointer(), i64, i64}, {});
    auto function = func::FuncOp::create(b, loc, (parent.getName() + "_items").str(), type);
    function.setPrivate();
    symbols.insert(function);
    Block *entry = function.addEntryBlock();
    b.setInsertionPointToStart(entry);
    IRMapping mapping;
    for (Value value : constants)
      mapping.map(value, b.clone(*value.getDefiningOp())->getResult(0));
    for (auto [i, value] : llvm::enumerate(captures)) {
      Value loaded = LLVM::LoadOp::create(b, loc, wire(value), field(b, entry->getArgument(0), i));
      mapping.map(value, cast(b, loaded, value.getType()));
    }
    emitItems(b, entry, mapping);
    func::ReturnOp::create(b, loc);
    hoistScratch(function);
    return function;
  }

  /// The loop over items.
  void emitItems(OpBuilder &b, Block *entry, IRMapping &mapping) {
    SmallVector<Value> counts = emitItemCounts(b, forall, mapping);
    auto index = [&](Value v) -> Value { return arith::IndexCastOp::create(b, loc, b.getIndexType(), v); };
    Value begin = index(entry->getArgument(1)), end = index(entry->getArgument(2));
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto loop = scf::ForOp::create(b, loc, begin, end, one);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    mapItem(b, forall, mapping, counts, loop.getInductionVar());
    for (Operation &op : forall.getBody()->without_terminator())
      b.clone(op, mapping);
  }

  void emitCall(func::FuncOp body) {
    OpBuilder b(forall);
    Type i64 = b.getI64Type();
    // The record of captured values lives in the parent's frame.
    OpBuilder top = OpBuilder::atBlockBegin(&parent.front());
    Value one = LLVM::ConstantOp::create(top, loc, i64, 1);
    Value record = LLVM::AllocaOp::create(top, loc, pointer(), context, one, 16);
    for (auto [i, value] : llvm::enumerate(captures))
      LLVM::StoreOp::create(b, loc, cast(b, value, wire(value)), field(b, record, i));
    Value total = arith::ConstantIndexOp::create(b, loc, 1);
    for (Value count : emitItemCounts(b, forall, IRMapping()))
      total = arith::MulIOp::create(b, loc, total, count);
    Value items = arith::IndexCastOp::create(b, loc, i64, total);
    int64_t estimate = 1024;
    if (auto cost = forall->getAttrOfType<IntegerAttr>("weft.item_cost"))
      estimate = cost.getInt();
    Value cost = arith::ConstantIntOp::create(b, loc, estimate, 64);

    Value call = parent.getArgument(0);
    auto loadAt = [&](Value base, int64_t bytes) -> Value {
      Value place = LLVM::GEPOp::create(b, loc, pointer(), b.getI8Type(), base,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
      return LLVM::LoadOp::create(b, loc, pointer(), place);
    };
    Value services = loadAt(call, offsetof(weft_abi_call, services));
    Value run = loadAt(services, offsetof(weft_abi_services, parallel_for));
    Value function = func::ConstantOp::create(b, loc, body.getFunctionType(), body.getName());
    Value address = UnrealizedConversionCastOp::create(b, loc, pointer(), function).getResult(0);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                            {pointer(), pointer(), pointer(), i64, i64});
    LLVM::CallOp::create(b, loc, type, ValueRange{run, call, address, record, items, cost});
  }

  scf::ForallOp forall;
  LLVMTypeConverter &types;
  SymbolTable &symbols;
  Location loc;
  func::FuncOp parent;
  SmallVector<Value> captures, constants;
  LLVM::LLVMStructType context;
};

/// Gives entries and kernels the call record as first argument and passes it on at every call.
void addCallArgument(ModuleOp module) {
  Type pointer = LLVM::LLVMPointerType::get(module.getContext());
  module.walk([&](func::FuncOp function) {
    if (function->hasAttr("weft.entry") || function->hasAttr("weft.kernel"))
      (void)function.insertArgument(0, pointer, {}, function.getLoc());
  });
  module.walk([&](func::CallOp call) {
    auto function = call->getParentOfType<func::FuncOp>();
    call->insertOperands(0, function.getArgument(0));
  });
}

struct ConvertForallPass : impl::ConvertForallBase<ConvertForallPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    WalkResult heap = module.walk([](memref::AllocOp op) {
      return WalkResult(op.emitError(
          "a kernel would allocate memory in every call: its scratch has no fixed size, or does not fit a stack"));
    });
    if (heap.wasInterrupted())
      return signalPassFailure();
    addCallArgument(module);
    LLVMTypeConverter types(&getContext());
    SymbolTable symbols(module);
    SmallVector<scf::ForallOp> foralls;
    module.walk([&](scf::ForallOp op) { foralls.push_back(op); });
    for (scf::ForallOp op : foralls)
      ForallConversion(op, types, symbols).run();
    for (auto function : module.getOps<func::FuncOp>())
      if (function->hasAttr("weft.kernel"))
        hoistScratch(function);
  }
};

} // namespace
} // namespace weft
