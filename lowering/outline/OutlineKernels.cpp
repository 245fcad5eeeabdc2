// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.kernel regions → private functions on memrefs, equal kernels sharing one; entry functions → memrefs:
//   %y = weft.kernel "norm" (%x, %e : tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> { … }
// becomes
//   %b = memref.alloc(%n) : memref<?x8xf32>
//   func.call @kernel_norm_0(%x, %b)
// The function's body still works on tensors: bufferization.to_tensor at its start, materialize_in_destination at its
// end.
#include "lowering/outline/Passes.h"

#include "dialects/weft/WeftDialect.h"
#include "lowering/analysis/EntryStates.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/SymbolTable.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "lowering/outline/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

Type toMemref(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? MemRefType::get(tensor.getShape(), tensor.getElementType()) : type;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels → functions
//===--------------------------------------------------------------------------------------------------------------===//

/// Makes functions of kernels; a kernel equal to an earlier one gets that one's function.
class KernelFunctions {
public:
  explicit KernelFunctions(ModuleOp module) : module(module), symbols(module) {}

  func::FuncOp functionFor(KernelOp kernel) {
    func::FuncOp function = create(kernel);
    for (func::FuncOp known : functions)
      if (isEqual(known, function)) {
        function.erase();
        return known;
      }
    symbols.insert(function);
    functions.push_back(function);
    return function;
  }

private:
  static bool isEqual(func::FuncOp a, func::FuncOp b) {
    return a.getFunctionType() == b.getFunctionType() &&
           OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                      OperationEquivalence::IgnoreLocations);
  }

  /// An elementwise op does not read its destination, so fusion may have given it an empty tensor of its own.
  static void bindDestination(Value result, Value destination) {
    auto op = result.getDefiningOp<DestinationStyleOpInterface>();
    if (!op)
      return;
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(result));
    if (init->get().getDefiningOp<tensor::EmptyOp>() && init->get().getType() == destination.getType())
      init->set(destination);
  }

  func::FuncOp create(KernelOp kernel) {
    OpBuilder b(module.getContext());
    b.setInsertionPointToEnd(module.getBody());
    Location loc = kernel.getLoc();
    SmallVector<Type> types;
    for (Type type : kernel.getInputs().getTypes())
      types.push_back(toMemref(type));
    std::string name = "kernel_" + kernel.getName().str() + "_" + std::to_string(functions.size());
    auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    function.setPrivate();
    function->setAttr("weft.kernel", kernel.getNameAttr());
    Block *entry = function.addEntryBlock();
    b.setInsertionPointToStart(entry);
    unsigned firstDestination = types.size() - kernel.getNumResults();
    IRMapping mapping;
    for (auto [i, argument] : llvm::enumerate(kernel.getBody().front().getArguments())) {
      Value value = entry->getArgument(i);
      if (isa<RankedTensorType>(argument.getType()))
        value = bufferization::ToTensorOp::create(b, loc, argument.getType(), value, /*restrict=*/true,
                                                  /*writable=*/i >= firstDestination);
      mapping.map(argument, value);
    }
    Block &body = kernel.getBody().front();
    for (Operation &op : body.without_terminator())
      b.clone(op, mapping);
    for (auto [i, result] : llvm::enumerate(body.getTerminator()->getOperands())) {
      bindDestination(mapping.lookupOrDefault(result), mapping.lookup(body.getArgument(firstDestination + i)));
      auto store = bufferization::MaterializeInDestinationOp::create(b, loc, mapping.lookupOrDefault(result),
                                                                     entry->getArgument(firstDestination + i));
      store.setRestrict(true);
      store.setWritable(true);
    }
    func::ReturnOp::create(b, loc);
    return function;
  }

  ModuleOp module;
  SymbolTable symbols;
  SmallVector<func::FuncOp> functions;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Entries → memrefs
//===--------------------------------------------------------------------------------------------------------------===//

/// Turns one entry function's tensors into memrefs.
class EntryConversion {
public:
  EntryConversion(func::FuncOp entry, KernelFunctions &kernels) : entry(entry), kernels(kernels) {}

  LogicalResult run() {
    auto terminator = cast<func::ReturnOp>(entry.getBody().front().getTerminator());
    addArguments(terminator);
    if (failed(checkStates()) || failed(bindResults()))
      return failure();
    for (Operation &op : llvm::make_early_inc_range(entry.getBody().front().without_terminator()))
      if (failed(convert(&op)))
        return failure();
    OpBuilder b(terminator);
    func::ReturnOp::create(b, terminator.getLoc());
    terminator.erase();
    for (Operation *op : llvm::reverse(dead))
      op->erase();
    return success();
  }

private:
  /// Inputs become memrefs; outputs become arguments that keep the results' attributes. A state is one argument: what
  /// it becomes is in its memory.
  void addArguments(func::ReturnOp terminator) {
    Block &block = entry.getBody().front();
    inputCount = block.getNumArguments();
    SmallVector<Type> types;
    SmallVector<Attribute> attributes;
    for (BlockArgument argument : block.getArguments()) {
      types.push_back(toMemref(argument.getType()));
      DictionaryAttr given = entry.getArgAttrDict(argument.getArgNumber());
      attributes.push_back(given ? given : DictionaryAttr::get(entry.getContext()));
    }
    for (auto [i, operand] : llvm::enumerate(terminator.getOperands())) {
      if (entry.getResultAttr(i, kStateAttribute)) {
        states.emplace_back(entry.getResultAttr(i, "weft.name"), operand);
        continue;
      }
      results.push_back(operand);
      Type type = toMemref(operand.getType());
      types.push_back(type);
      NamedAttrList named(entry.getResultAttrDict(i));
      named.set("weft.output", UnitAttr::get(entry.getContext()));
      attributes.push_back(named.getDictionary(entry.getContext()));
      block.addArgument(type, operand.getLoc());
    }
    for (unsigned i = 0; i < inputCount; ++i) {
      // Tensor users are converted one by one; until then they see the memref under a tensor's type.
      BlockArgument argument = block.getArgument(i);
      if (isa<RankedTensorType>(argument.getType()))
        argument.setType(types[i]);
    }
    entry.setFunctionType(FunctionType::get(entry.getContext(), types, {}));
    entry.removeResAttrsAttr();
    entry.setAllArgAttrs(attributes);
  }

  /// The kernel results that the function returns are computed in its output arguments, seen in the kernel's shape.
  LogicalResult bindResults() {
    OpBuilder b = OpBuilder::atBlockBegin(&entry.getBody().front());
    for (auto [i, operand] : llvm::enumerate(results)) {
      Value memref = entry.getArgument(inputCount + i), value = operand;
      while (!value.getDefiningOp<KernelOp>()) {
        FailureOr<Value> inverse = invertReshape(b, value.getDefiningOp(), memref);
        if (failed(inverse))
          return entry.emitError("result ") << i << " does not come from a kernel: run the fuse phase first";
        memref = *inverse;
        value = value.getDefiningOp()->getOperand(0);
      }
      // With all that is written over on the way to it.
      for (; value.getDefiningOp<KernelOp>(); value = destinationOf(cast<OpResult>(value)))
        if (!outputs.try_emplace(value, memref).second)
          return entry.emitError("result ")
                 << i << " is an earlier result too: run the fuse phase first, which copies it";
      if (isa<BlockArgument>(value))
        return entry.emitError("result ") << i << " lies in an argument: run the fuse phase first, which copies it";
    }
    return success();
  }

  /// What a state becomes lies in its argument's memory.
  LogicalResult checkStates() {
    for (auto [name, value] : states) {
      while (value.getDefiningOp<KernelOp>())
        value = destinationOf(cast<OpResult>(value));
      auto argument = dyn_cast<BlockArgument>(value);
      if (!argument || !isStateArgument(value) || entry.getArgAttr(argument.getArgNumber(), "weft.name") != name)
        return entry.emitError("state ") << name
                                         << " does not end in its argument, updated in place: run the fuse phase first";
    }
    return success();
  }

  /// The operand whose memory a kernel's result takes.
  static Value destinationOf(OpResult result) {
    auto kernel = cast<KernelOp>(result.getOwner());
    return kernel.getInputs().take_back(kernel.getNumResults())[result.getResultNumber()];
  }

  /// `memref` holds the result of `reshape`; as its operand's shape.
  FailureOr<Value> invertReshape(OpBuilder &b, Operation *reshape, Value memref) {
    if (!reshape)
      return failure();
    Location loc = reshape->getLoc();
    auto source = cast<MemRefType>(toMemref(reshape->getOperand(0).getType()));
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(reshape))
      return Value(memref::CollapseShapeOp::create(b, loc, source, memref, expand.getReassociationIndices()));
    if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(reshape)) {
      SmallVector<OpFoldResult> sizes;
      auto empty = collapse.getSrc().getDefiningOp<KernelOp>();
      if (!empty)
        return failure();
      FailureOr<SmallVector<OpFoldResult>> extents =
          destinationSizes(empty, cast<OpResult>(collapse.getSrc()).getResultNumber());
      if (failed(extents))
        return failure();
      // The sizes must be there before the first use of the output: they are index arithmetic, moved up.
      for (OpFoldResult size : *extents)
        if (auto value = dyn_cast<Value>(size))
          hoist(value, b);
      return Value(memref::ExpandShapeOp::create(b, loc, source, memref, collapse.getReassociationIndices(), *extents));
    }
    return failure();
  }

  /// Moves an index computation, with what it needs, before the builder's point.
  void hoist(Value value, OpBuilder &b) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return;
    for (Value operand : op->getOperands())
      hoist(operand, b);
    if (!op->isBeforeInBlock(&*b.getInsertionPoint()))
      op->moveBefore(b.getBlock(), b.getInsertionPoint());
  }

  /// Extents of a kernel's result, from the empty tensor that is its destination or that an earlier kernel's was.
  FailureOr<SmallVector<OpFoldResult>> destinationSizes(KernelOp kernel, unsigned result) {
    Value destination = destinationOf(kernel->getResult(result));
    if (auto earlier = destination.getDefiningOp<KernelOp>())
      return destinationSizes(earlier, cast<OpResult>(destination).getResultNumber());
    if (auto empty = destination.getDefiningOp<tensor::EmptyOp>())
      return empty.getMixedSizes();
    unsigned at = kernel.getInputs().size() - kernel.getNumResults() + result;
    return kernel.emitError("operand ") << at << " must be an empty tensor, a state or an earlier kernel's result: the "
                                        << "destination of result " << result;
  }

  /// Where a kernel's result goes: an output, memory that is written over, or memory of its own.
  FailureOr<Value> memoryFor(OpBuilder &b, KernelOp kernel, OpResult result) {
    if (Value output = outputs.lookup(result))
      return output;
    Value destination = destinationOf(result);
    bool isState = isStateArgument(destination);
    if (isState || isa_and_nonnull<memref::AllocOp>(destination.getDefiningOp()))
      return destination;
    FailureOr<SmallVector<OpFoldResult>> sizes = destinationSizes(kernel, result.getResultNumber());
    if (failed(sizes))
      return failure();
    SmallVector<Value> dynamic;
    for (OpFoldResult size : *sizes)
      if (auto value = dyn_cast<Value>(size))
        dynamic.push_back(value);
    auto type = cast<MemRefType>(toMemref(result.getType()));
    return memref::AllocOp::create(b, kernel.getLoc(), type, dynamic).getResult();
  }

  LogicalResult convert(Operation *op) {
    OpBuilder b(op);
    if (auto kernel = dyn_cast<KernelOp>(op))
      return convertKernel(b, kernel);
    if (auto parameter = dyn_cast<ParameterOp>(op)) {
      parameter.getResult().setType(cast<ShapedType>(toMemref(parameter.getResult().getType())));
      return success();
    }
    if (auto dim = dyn_cast<tensor::DimOp>(op)) {
      Value size = memref::DimOp::create(b, dim.getLoc(), dim->getOperand(0), dim->getOperand(1));
      dim.replaceAllUsesWith(size);
      dead.push_back(op);
      return success();
    }
    if (isa<tensor::EmptyOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op)) {
      // Only destinations and the function's results are left of these.
      dead.push_back(op);
      return success();
    }
    if (llvm::none_of(op->getResultTypes(), llvm::IsaPred<TensorType>))
      return success();
    return op->emitError("cannot be compiled: an entry may hold weft ops, linalg ops, tensor.empty, expand_shape, "
                         "collapse_shape and extract_slice, and index arithmetic");
  }

  LogicalResult convertKernel(OpBuilder &b, KernelOp kernel) {
    func::FuncOp function = kernels.functionFor(kernel);
    SmallVector<Value> operands(kernel.getInputs().drop_back(kernel.getNumResults()));
    for (OpResult result : kernel->getResults()) {
      FailureOr<Value> memory = memoryFor(b, kernel, result);
      if (failed(memory))
        return failure();
      operands.push_back(*memory);
      // Later kernels read the memory; what is left of views for the function's results goes with the terminator.
      result.replaceUsesWithIf(*memory, [](OpOperand &use) { return isa<KernelOp>(use.getOwner()); });
    }
    func::CallOp::create(b, kernel.getLoc(), function, operands);
    dead.push_back(kernel);
    return success();
  }

  func::FuncOp entry;
  KernelFunctions &kernels;
  unsigned inputCount = 0;
  SmallVector<Value> results;                      ///< what is returned, without what states become
  SmallVector<std::pair<Attribute, Value>> states; ///< a name, and what the state becomes
  llvm::DenseMap<Value, Value> outputs;            ///< kernel result → output memory
  SmallVector<Operation *> dead;
};

/// Lists the parameters of all entries on the module, in the order of the ABI. One name is one tensor in one form.
LogicalResult listParameters(ModuleOp module) {
  Builder b(module.getContext());
  SmallVector<Attribute> list;
  llvm::DenseMap<StringAttr, Attribute> seen;
  WalkResult result = module.walk([&](ParameterOp op) {
    auto type = cast<MemRefType>(op.getResult().getType());
    SmallVector<StringRef> sources = op.getSourceNames();
    NamedAttrList entry;
    entry.set("name", op.getNameAttr());
    entry.set("sources", b.getStrArrayAttr(sources));
    entry.set("type", TypeAttr::get(RankedTensorType::get(type.getShape(), type.getElementType())));
    if (op.getLayoutAttr())
      entry.set("layout", op.getLayoutAttr());
    if (op.getFunctionsAttr())
      entry.set("functions", op.getFunctionsAttr());
    if (op.getOrderAttr())
      entry.set("order", op.getOrderAttr());
    Attribute described = entry.getDictionary(module.getContext());
    auto [known, isNew] = seen.try_emplace(op.getNameAttr(), described);
    if (isNew)
      list.push_back(described);
    if (known->second != described)
      return WalkResult(
          op.emitError("another parameter of this name has other sources, another layout or another type"));
    return WalkResult::advance();
  });
  module->setAttr("weft.parameters", b.getArrayAttr(list));
  return failure(result.wasInterrupted());
}

struct OutlineKernelsPass : impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    KernelFunctions kernels(getOperation());
    SmallVector<func::FuncOp> entries;
    getOperation()->walk([&](func::FuncOp function) {
      if (function->hasAttr("weft.entry"))
        entries.push_back(function);
    });
    for (func::FuncOp entry : entries)
      if (failed(EntryConversion(entry, kernels).run()))
        return signalPassFailure();
    if (failed(listParameters(getOperation())))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
