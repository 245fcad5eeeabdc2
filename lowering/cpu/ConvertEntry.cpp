// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entry functions → the two functions of the ABI (runtime/include/weft/abi.h):
//   llvm.func @weft_<entry>_run(%call: !llvm.ptr) -> i32: checks the arena, wraps pointers as memrefs, calls the entry
//   llvm.func @weft_<entry>_arena(%dims: !llvm.ptr) -> i64: bytes of scratch for these extents
// and weft.parameter → the pointer of that number in the call record.
#include "lowering/cpu/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/EntryStates.h"
#include "runtime/include/weft/abi.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <cstddef>

namespace weft {
#define GEN_PASS_DEF_CONVERTENTRY
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Reads the call record and wraps raw pointers.
class RecordReader {
public:
  RecordReader(OpBuilder &b, Location loc, LLVMTypeConverter &types) : b(b), loc(loc), types(types) {}

  Type pointer() { return LLVM::LLVMPointerType::get(b.getContext()); }

  /// The field at a byte offset of a record.
  Value loadField(Value record, int64_t offset, Type type) {
    Value place = LLVM::GEPOp::create(b, loc, pointer(), b.getI8Type(), record,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    return LLVM::LoadOp::create(b, loc, type, place);
  }

  /// Element `index` of an array of 8-byte fields.
  Value loadElement(Value array, int64_t index, Type type) { return loadField(array, index * 8, type); }

  /// A dense row-major memref over raw memory; `extents` are i64 values, one for each dimension.
  Value wrap(Value raw, MemRefType type, ArrayRef<Value> extents) {
    Type structType = types.convertType(type);
    MemRefDescriptor descriptor = MemRefDescriptor::poison(b, loc, structType);
    descriptor.setAllocatedPtr(b, loc, raw);
    descriptor.setAlignedPtr(b, loc, raw);
    descriptor.setConstantOffset(b, loc, 0);
    Value stride = constant(1);
    for (int64_t i = type.getRank() - 1; i >= 0; --i) {
      descriptor.setSize(b, loc, i, extents[i]);
      descriptor.setStride(b, loc, i, stride);
      stride = LLVM::MulOp::create(b, loc, stride, extents[i]);
    }
    return UnrealizedConversionCastOp::create(b, loc, type, Value(descriptor)).getResult(0);
  }

  Value constant(int64_t value) { return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value); }

  OpBuilder &b;
  Location loc;
  LLVMTypeConverter &types;
};

/// weft.parameter → a wrapped pointer of the call record's parameters.
LogicalResult convertParameters(ModuleOp module, LLVMTypeConverter &types) {
  llvm::StringMap<int64_t> numbers;
  if (auto list = module->getAttrOfType<ArrayAttr>("weft.parameters"))
    for (auto [i, entry] : llvm::enumerate(list))
      numbers[cast<DictionaryAttr>(entry).getAs<StringAttr>("name").getValue()] = i;
  SmallVector<ParameterOp> parameters;
  module.walk([&](ParameterOp op) { parameters.push_back(op); });
  for (ParameterOp op : parameters) {
    auto number = numbers.find(op.getName());
    auto function = op->getParentOfType<func::FuncOp>();
    if (number == numbers.end() || !function->hasAttr("weft.entry"))
      return op.emitError("is not in the module's 'weft.parameters', or not in an entry function");
    OpBuilder b(op);
    RecordReader reader(b, op.getLoc(), types);
    Value table = reader.loadField(function.getArgument(0), offsetof(weft_abi_call, parameters), reader.pointer());
    auto type = cast<MemRefType>(op.getResult().getType());
    SmallVector<Value> extents;
    for (int64_t extent : type.getShape())
      extents.push_back(reader.constant(extent));
    Value raw = reader.loadElement(table, number->second, reader.pointer());
    op.replaceAllUsesWith(reader.wrap(raw, type, extents));
    op.erase();
  }
  return success();
}

/// One entry function's wrappers.
class EntryConversion {
public:
  EntryConversion(func::FuncOp entry, LLVMTypeConverter &types) : entry(entry), types(types), loc(entry.getLoc()) {}

  LogicalResult run() {
    for (unsigned i = 1; i < entry.getNumArguments(); ++i)
      if (auto name = entry.getArgAttrOfType<StringAttr>(i, "weft.dim"))
        dims.push_back(name);
    auto module = entry->getParentOfType<ModuleOp>();
    arena = module.lookupSymbol<func::FuncOp>((entry.getName() + "_arena").str());
    if (!arena)
      return entry.emitError("has no arena function: run the bufferize phase first");
    emitArena();
    return emitRun();
  }

private:
  LLVM::LLVMFuncOp createFunction(OpBuilder &b, StringRef suffix, Type result) {
    b.setInsertionPointAfter(entry);
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    auto type = LLVM::LLVMFunctionType::get(result, {pointer});
    return LLVM::LLVMFuncOp::create(b, loc, ("weft_" + entry.getName() + suffix).str(), type);
  }

  /// The arena function's result for the extents in `dimValues` (i64).
  Value emitArenaBytes(OpBuilder &b, ArrayRef<Value> dimValues) {
    SmallVector<Value> indices;
    for (Value value : dimValues)
      indices.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), value));
    Value bytes = func::CallOp::create(b, loc, arena, indices).getResult(0);
    return arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes);
  }

  SmallVector<Value> loadDims(RecordReader &reader, Value array) {
    SmallVector<Value> values;
    for (size_t i = 0; i < dims.size(); ++i)
      values.push_back(reader.loadElement(array, i, reader.b.getI64Type()));
    return values;
  }

  void emitArena() {
    OpBuilder b(entry.getContext());
    LLVM::LLVMFuncOp function = createFunction(b, "_arena", b.getI64Type());
    b.setInsertionPointToStart(function.addEntryBlock(b));
    RecordReader reader(b, loc, types);
    Value bytes = emitArenaBytes(b, loadDims(reader, function.getArgument(0)));
    LLVM::ReturnOp::create(b, loc, bytes);
  }

  /// i64 extents of an argument from its type and `weft.dims`.
  FailureOr<SmallVector<Value>> emitExtents(RecordReader &reader, unsigned argument, ArrayRef<Value> dimValues) {
    auto type = cast<MemRefType>(entry.getArgument(argument).getType());
    auto names = entry.getArgAttrOfType<ArrayAttr>(argument, "weft.dims");
    SmallVector<Value> extents;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i)) {
        extents.push_back(reader.constant(type.getDimSize(i)));
        continue;
      }
      auto place = names ? llvm::find(dims, names[i]) : dims.end();
      if (place == dims.end())
        return entry.emitError("argument ") << argument << ": dynamic dimension " << i << " has no name";
      extents.push_back(dimValues[place - dims.begin()]);
    }
    return extents;
  }

  LogicalResult emitRun() {
    OpBuilder b(entry.getContext());
    LLVM::LLVMFuncOp function = createFunction(b, "_run", b.getI32Type());
    Block *start = function.addEntryBlock(b);
    b.setInsertionPointToStart(start);
    RecordReader reader(b, loc, types);
    Value call = function.getArgument(0);
    auto field = [&](int64_t offset) { return reader.loadField(call, offset, reader.pointer()); };
    Value inputs = field(offsetof(weft_abi_call, inputs)), outputs = field(offsetof(weft_abi_call, outputs)),
          states = field(offsetof(weft_abi_call, states));
    SmallVector<Value> dimValues = loadDims(reader, field(offsetof(weft_abi_call, dims)));
    Value bytes = reader.loadField(call, offsetof(weft_abi_call, arena_bytes), b.getI64Type());

    SmallVector<Value> operands = {call};
    int64_t input = 0, output = 0, state = 0, dim = 0;
    for (unsigned i = 1; i < entry.getNumArguments(); ++i) {
      if (entry.getArgAttr(i, "weft.dim")) {
        operands.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), dimValues[dim++]));
        continue;
      }
      auto type = cast<MemRefType>(entry.getArgument(i).getType());
      if (entry.getArgAttr(i, "weft.arena")) {
        operands.push_back(reader.wrap(field(offsetof(weft_abi_call, arena)), type, {bytes}));
        continue;
      }
      Value raw;
      if (entry.getArgAttr(i, "weft.output"))
        raw = reader.loadElement(outputs, output++, reader.pointer());
      else if (entry.getArgAttr(i, kStateAttribute))
        raw = reader.loadElement(states, state++, reader.pointer());
      else
        raw = reader.loadElement(inputs, input++, reader.pointer());
      FailureOr<SmallVector<Value>> extents = emitExtents(reader, i, dimValues);
      if (failed(extents))
        return failure();
      operands.push_back(reader.wrap(raw, type, *extents));
    }
    emitGuardedCall(b, function, emitArenaBytes(b, dimValues), bytes, operands);
    return success();
  }

  /// Unsigned, so that -1, more than can be counted, does not fit. Returns WEFT_ABI_ARENA_TOO_SMALL before anything is
  /// written, or calls the entry.
  void emitGuardedCall(OpBuilder &b, LLVM::LLVMFuncOp function, Value needed, Value given, ArrayRef<Value> operands) {
    Block *good = function.addBlock(), *bad = function.addBlock();
    Value fits = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ule, needed, given);
    LLVM::CondBrOp::create(b, loc, fits, good, bad);
    b.setInsertionPointToStart(good);
    func::CallOp::create(b, loc, entry, operands);
    LLVM::ReturnOp::create(b, loc, LLVM::ConstantOp::create(b, loc, b.getI32Type(), WEFT_ABI_OK).getResult());
    b.setInsertionPointToStart(bad);
    LLVM::ReturnOp::create(b, loc,
                           LLVM::ConstantOp::create(b, loc, b.getI32Type(), WEFT_ABI_ARENA_TOO_SMALL).getResult());
  }

  func::FuncOp entry, arena;
  LLVMTypeConverter &types;
  Location loc;
  SmallVector<Attribute> dims; ///< names, in the ABI's order
};

struct ConvertEntryPass : impl::ConvertEntryBase<ConvertEntryPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    LLVMTypeConverter types(&getContext());
    if (failed(convertParameters(module, types)))
      return signalPassFailure();
    SmallVector<func::FuncOp> entries;
    for (auto function : module.getOps<func::FuncOp>()) {
      if (function->hasAttr("weft.entry"))
        entries.push_back(function);
      // Only the wrappers are visible outside.
      function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));
    }
    for (func::FuncOp entry : entries) {
      if (failed(EntryConversion(entry, types).run()))
        return signalPassFailure();
      // A list of calls grows with depth and gains nothing from optimisation, which compile time would pay for.
      entry->setAttr("passthrough", Builder(&getContext()).getStrArrayAttr({"noinline", "optnone"}));
      entry->removeAttr("weft.entry");
      entry.setPrivate();
      for (unsigned i = 0; i < entry.getNumArguments(); ++i)
        entry.setArgAttrs(i, ArrayRef<NamedAttribute>());
    }
  }
};

} // namespace
} // namespace weft
