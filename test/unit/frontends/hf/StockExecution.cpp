// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An imported module through MLIR's own passes into MLIR's JIT.
#include "test/unit/frontends/hf/StockExecution.h"

#include "dialects/weft/WeftDialect.h"
#include "frontends/weights/FloatValues.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/AllocationOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/IR/Builders.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

using namespace mlir;

namespace weft::test {
namespace {

/// A memref as MLIR passes it: pointers, offset, extents, strides.
struct Descriptor {
  std::vector<int64_t> words;

  Descriptor(void *data, const std::vector<int64_t> &shape) {
    words = {reinterpret_cast<int64_t>(data), reinterpret_cast<int64_t>(data), 0};
    words.insert(words.end(), shape.begin(), shape.end());
    for (size_t dim = 0; dim < shape.size(); ++dim)
      words.push_back(std::accumulate(shape.begin() + dim + 1, shape.end(), int64_t(1), std::multiplies<>()));
  }
};

/// values [d[0], d[1], …] with dimension order[i] in place i.
std::vector<float> reordered(const std::vector<float> &values, llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> order) {
  std::vector<int64_t> strides(shape.size()), index(shape.size());
  int64_t stride = 1;
  for (int64_t dim = shape.size(); dim-- > 0;) {
    int64_t place = llvm::find(order, dim) - order.begin();
    strides[place] = stride;
    stride *= shape[place];
  }
  std::vector<float> result;
  while (result.size() < values.size()) {
    result.push_back(values[std::inner_product(index.begin(), index.end(), strides.begin(), int64_t(0))]);
    for (size_t dim = shape.size(); dim > 0; --dim) {
      if (++index[dim - 1] < shape[dim - 1])
        break;
      index[dim - 1] = 0;
    }
  }
  return result;
}

FloatTensor readParameter(ParameterOp op, const WeightStore &weights) {
  auto type = cast<RankedTensorType>(op.getType());
  FloatTensor result{std::vector<int64_t>(type.getShape()), {}};
  for (llvm::StringRef source : op.getSourceNames()) {
    const TensorView *tensor = weights.find(source.str());
    if (!tensor)
      return {};
    std::vector<float> values(tensor->elements());
    if (!readF32(*tensor, values))
      return {};
    result.values.insert(result.values.end(), values.begin(), values.end());
  }
  assert(static_cast<int64_t>(result.values.size()) == type.getNumElements() && "sources that fill the weight");
  if (std::optional<llvm::ArrayRef<int64_t>> order = op.getOrder())
    result.values = reordered(result.values, type.getShape(), *order);
  return result;
}

/// Weights become arguments after the inputs.
std::vector<FloatTensor> moveParametersToArguments(func::FuncOp entry, const WeightStore &weights) {
  std::vector<FloatTensor> values;
  llvm::SmallVector<ParameterOp> ops(entry.getOps<ParameterOp>());
  for (ParameterOp op : ops) {
    values.push_back(readParameter(op, weights));
    unsigned index = entry.getNumArguments();
    (void)entry.insertArgument(index, op.getType(), {}, op.getLoc());
    op.replaceAllUsesWith(entry.getArgument(index));
    op.erase();
  }
  return values;
}

void decomposeAll(ModuleOp module) {
  llvm::SmallVector<DecomposableOpInterface> ops;
  module.walk([&](DecomposableOpInterface op) { ops.push_back(op); });
  for (DecomposableOpInterface op : ops) {
    OpBuilder builder(op);
    FailureOr<llvm::SmallVector<Value>> replacement = op.decompose(builder);
    assert(succeeded(replacement) && "ops on tensors have definitions");
    op->replaceAllUsesWith(*replacement);
    op->erase();
  }
}

/// memref.expand_shape as a reinterpret_cast. MLIR 22.1.8's expand-strided-metadata dereferences null where a group
/// has two dynamic extents, as [tokens] → [batch, sequence] has.
void castExpandedShapes(ModuleOp module) {
  llvm::SmallVector<memref::ExpandShapeOp> ops;
  module.walk([&](memref::ExpandShapeOp op) { ops.push_back(op); });
  for (memref::ExpandShapeOp op : ops) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    auto source = memref::ExtractStridedMetadataOp::create(b, loc, op.getSrc());
    auto [typeStrides, typeOffset] = op.getResultType().getStridesAndOffset();
    llvm::SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), strides(sizes.size());
    for (auto [group, dims] : llvm::enumerate(op.getReassociationIndices())) {
      Value stride = source.getStrides()[group];
      for (int64_t dim : llvm::reverse(dims)) {
        strides[dim] = stride;
        Value size = getValueOrCreateConstantIndexOp(b, loc, sizes[dim]);
        stride = arith::MulIOp::create(b, loc, stride, size);
      }
    }
    for (auto [dim, stride] : llvm::enumerate(typeStrides))
      if (!ShapedType::isDynamic(stride))
        strides[dim] = b.getIndexAttr(stride);
    OpFoldResult offset = source.getOffset();
    if (!ShapedType::isDynamic(typeOffset))
      offset = b.getIndexAttr(typeOffset);
    op.replaceAllUsesWith(
        memref::ReinterpretCastOp::create(b, loc, op.getResultType(), source.getBaseBuffer(), offset, sizes, strides)
            .getResult());
    op.erase();
  }
}

/// Copies between strided buffers as loops: otherwise they become calls of a runner's library.
void expandCopies(ModuleOp module) {
  llvm::SmallVector<memref::CopyOp> ops;
  module.walk([&](memref::CopyOp op) { ops.push_back(op); });
  for (memref::CopyOp op : ops) {
    OpBuilder b(op);
    linalg::makeMemRefCopyOp(b, op.getLoc(), op.getSource(), op.getTarget());
    op.erase();
  }
}

LogicalResult lowerToLLVM(ModuleOp module) {
  PassManager passes(module.getContext());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  bufferize.allowReturnAllocsFromLoops = true;
  bufferize.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  passes.addPass(bufferization::createOneShotBufferizePass(bufferize));
  bufferization::buildBufferDeallocationPipeline(passes);
  passes.addPass(createConvertBufferizationToMemRefPass());
  if (failed(passes.run(module)))
    return failure();
  castExpandedShapes(module);
  expandCopies(module);
  PassManager lowering(module.getContext());
  lowering.addPass(createConvertLinalgToLoopsPass());
  lowering.addPass(createSCFToControlFlowPass());
  lowering.addPass(memref::createExpandStridedMetadataPass());
  lowering.addPass(createLowerAffinePass());
  lowering.addPass(createSCFToControlFlowPass());
  lowering.addPass(createConvertMathToLLVMPass());
  lowering.addPass(createConvertMathToLibmPass());
  lowering.addPass(createFinalizeMemRefToLLVMConversionPass());
  lowering.addPass(createConvertFuncToLLVMPass());
  lowering.addPass(createArithToLLVMConversionPass());
  lowering.addPass(createConvertControlFlowToLLVMPass());
  lowering.addPass(createConvertIndexToLLVMPass());
  lowering.addPass(createReconcileUnrealizedCastsPass());
  return lowering.run(module);
}

} // namespace

StockProgram::Entry StockProgram::describe(func::FuncOp function, const WeightStore &weights) {
  Entry entry;
  auto port = [](DictionaryAttr attributes, Type type) {
    auto byDefault = attributes.getAs<IntegerAttr>("weft.default");
    return Port{attributes.getAs<StringAttr>("weft.name").str(),
                std::vector<int64_t>(cast<RankedTensorType>(type).getShape()), byDefault ? byDefault.getInt() : 0,
                attributes.contains("weft.state"),
                std::max<int64_t>(1, getElementTypeOrSelf(type).getIntOrFloatBitWidth() / 32)};
  };
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    entry.inputPorts.push_back(port(function.getArgAttrDict(index), type));
  for (auto [index, type] : llvm::enumerate(function.getResultTypes()))
    entry.outputPorts.push_back(port(function.getResultAttrDict(index), type));
  entry.parameters = moveParametersToArguments(function, weights);
  function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), UnitAttr::get(function.getContext()));
  return entry;
}

std::unique_ptr<StockProgram> StockProgram::compile(OwningOpRef<ModuleOp> module, const WeightStore &weights) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  memref::registerAllocationOpInterfaceExternalModels(registry);
  scf::registerBufferDeallocationOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  module->getContext()->appendDialectRegistry(registry);

  auto program = std::make_unique<StockProgram>();
  for (func::FuncOp function : module->getOps<func::FuncOp>()) {
    program->entries[function.getName().str()] = describe(function, weights);
    if (program->first.empty())
      program->first = function.getName().str();
  }
  decomposeAll(*module);
  if (failed(lowerToLLVM(*module)))
    return nullptr;
  ExecutionEngineOptions options;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Less;
  auto engine = ExecutionEngine::create(*module, options);
  if (!engine) {
    llvm::errs() << llvm::toString(engine.takeError()) << "\n";
    return nullptr;
  }
  program->engine = std::move(*engine);
  return program;
}

/// Of a cache, whose extent is the session's to choose.
constexpr int64_t kSlots = 80;

/// What the session would hold: of the first dimension, which is the batch's, `batch` rows. Integers lie in the memory
/// of several floats.
FloatTensor &StockProgram::stateFor(const Port &port, int64_t batch) {
  FloatTensor &state = states[port.name];
  if (!state.values.empty())
    return state;
  state.shape = port.shape;
  std::replace_if(state.shape.begin(), state.shape.end(), ShapedType::isDynamic, kSlots);
  state.shape.front() = batch;
  state.values.resize(std::accumulate(state.shape.begin(), state.shape.end(), port.words, std::multiplies<>()));
  return state;
}

std::map<std::string, FloatTensor> StockProgram::run(const std::map<std::string, IntTensor> &inputs,
                                                     const std::string &name) {
  const std::string &called = name.empty() ? first : name;
  Entry &entry = entries.at(called);
  std::deque<Descriptor> descriptors;
  std::deque<IntTensor> defaults;
  std::deque<FloatTensor> given; // an entry may write into its arguments
  for (const Port &port : entry.inputPorts) {
    if (port.isState) {
      given.push_back(stateFor(port, inputs.at("input_ids").shape[0]));
      descriptors.emplace_back(given.back().values.data(), given.back().shape);
      continue;
    }
    auto found = inputs.find(port.name);
    if (found == inputs.end()) {
      defaults.push_back(inputs.at("input_ids"));
      std::fill(defaults.back().values.begin(), defaults.back().values.end(), port.byDefault);
    }
    const IntTensor &tensor = found == inputs.end() ? defaults.back() : found->second;
    descriptors.emplace_back(const_cast<int64_t *>(tensor.values.data()), tensor.shape);
  }
  for (FloatTensor &parameter : entry.parameters)
    descriptors.emplace_back(parameter.values.data(), parameter.shape);

  // Results come as one struct of descriptors.
  size_t resultWords = 0;
  for (const Port &port : entry.outputPorts)
    resultWords += 3 + 2 * port.shape.size();
  std::vector<int64_t> results(resultWords);
  void *resultPointer = results.data();
  std::vector<void *> pointers;
  for (Descriptor &descriptor : descriptors)
    pointers.push_back(descriptor.words.data());
  llvm::SmallVector<void *> packed{&resultPointer};
  for (void *&pointer : pointers)
    packed.push_back(&pointer);
  if (llvm::Error error = engine->invokePacked("_mlir_ciface_" + called, packed)) {
    llvm::errs() << llvm::toString(std::move(error)) << "\n";
    return {};
  }

  std::map<std::string, FloatTensor> outputs;
  std::vector<void *> allocations;
  const int64_t *word = results.data();
  auto isGiven = [&](void *memory) {
    return llvm::any_of(given, [&](const FloatTensor &tensor) { return tensor.values.data() == memory; });
  };
  for (const Port &port : entry.outputPorts) {
    FloatTensor &output = port.isState ? states[port.name] : outputs[port.name];
    output.shape.assign(word + 3, word + 3 + port.shape.size());
    int64_t count = std::accumulate(output.shape.begin(), output.shape.end(), int64_t(1), std::multiplies<>());
    const float *data = reinterpret_cast<float *>(word[1]) + word[2] * port.words;
    output.values.assign(data, data + count * port.words);
    if (!isGiven(reinterpret_cast<void *>(word[0])))
      allocations.push_back(reinterpret_cast<void *>(word[0]));
    word += 3 + 2 * port.shape.size();
  }
  std::sort(allocations.begin(), allocations.end());
  allocations.erase(std::unique(allocations.begin(), allocations.end()), allocations.end());
  for (void *allocation : allocations)
    std::free(allocation);
  return outputs;
}

} // namespace weft::test
