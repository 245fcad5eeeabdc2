// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The program around the layers: module, entries, named dimensions, parameters.
#include "frontends/builder/GraphBuilder.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace weft {

GraphBuilder::GraphBuilder(MLIRContext &context, const ParameterSource &parameters, llvm::StringRef model)
    : parameters(parameters), builder(&context), location(builder.getUnknownLoc()) {
  context.loadDialect<WeftDialect, arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, math::MathDialect,
                      tensor::TensorDialect>();
  location = NameLoc::get(builder.getStringAttr(model));
  module = ModuleOp::create(location);
  (*module)->setAttr("weft.model", builder.getStringAttr(model));
}

GraphBuilder::Scope::Scope(GraphBuilder &graph, llvm::StringRef name) : graph(graph), outer(graph.location) {
  graph.location = NameLoc::get(graph.builder.getStringAttr(name));
}

void GraphBuilder::fail(Diagnostic diagnostic) {
  if (!failure)
    failure = std::move(diagnostic);
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

void GraphBuilder::bound(llvm::StringRef dim, int64_t min, int64_t max) { bounds[dim.str()] = {min, max}; }

NamedAttrList GraphBuilder::describe(llvm::StringRef name, llvm::ArrayRef<std::string> dims) {
  // A dimension that is fixed in this entry is none of its dimensions.
  auto isFixed = [&](const std::string &dim) {
    auto found = this->dims.find(dim);
    return found != this->dims.end() && getConstantIntValue(found->second);
  };
  llvm::SmallVector<llvm::StringRef> names;
  for (const std::string &dim : dims)
    names.push_back(isFixed(dim) ? "" : llvm::StringRef(dim));
  NamedAttrList attributes;
  attributes.set("weft.name", builder.getStringAttr(name));
  attributes.set("weft.dims", builder.getStrArrayAttr(names));
  return attributes;
}

/// Learns the named dimensions of an argument, and its extents.
void GraphBuilder::addArgument(unsigned index, llvm::ArrayRef<std::string> argumentDims) {
  Value argument = entry.getArgument(index);
  Sizes argumentSizes;
  for (auto [position, dim] : llvm::enumerate(argumentDims)) {
    auto type = cast<RankedTensorType>(argument.getType());
    if (!type.isDynamicDim(position)) {
      argumentSizes.push_back(builder.getIndexAttr(type.getDimSize(position)));
      continue;
    }
    if (!dims.count(dim))
      dims[dim] = tensor::DimOp::create(builder, location, argument, position).getResult();
    argumentSizes.push_back(dims[dim]);
  }
  known(argument, argumentSizes);
}

/// The extents of an argument: those of its fixed dimensions, and -1.
static llvm::SmallVector<int64_t> staticShape(llvm::ArrayRef<std::string> dims, llvm::ArrayRef<int64_t> shape,
                                              const FixedDims &fixed) {
  llvm::SmallVector<int64_t> result;
  for (auto [position, dim] : llvm::enumerate(dims)) {
    auto found = fixed.find(dim);
    result.push_back(dim.empty() ? shape[position] : found == fixed.end() ? ShapedType::kDynamic : found->second);
  }
  return result;
}

void GraphBuilder::beginEntry(llvm::StringRef name, llvm::ArrayRef<InputSpec> specs,
                              llvm::ArrayRef<StateSpec> entryStates, const FixedDims &fixed) {
  inputs.clear(), dims.clear(), states.clear(), parameterValues.clear();
  outputs.clear(), extents.clear(), products.clear(), shiftTaps.clear();
  stateSpecs.assign(entryStates.begin(), entryStates.end());
  for (const auto &[dim, extent] : fixed)
    dims[dim] = builder.getIndexAttr(extent);
  llvm::SmallVector<Type> types;
  for (const InputSpec &spec : specs)
    types.push_back(RankedTensorType::get(staticShape(spec.dims, {}, fixed), builder.getI64Type()));
  for (const StateSpec &spec : stateSpecs) {
    Type element = spec.fills.empty() ? Type(builder.getF32Type()) : builder.getI64Type();
    types.push_back(RankedTensorType::get(staticShape(spec.dims, spec.shape, fixed), element));
  }
  builder.setInsertionPointToEnd(module->getBody());
  entry = func::FuncOp::create(builder, location, name, builder.getFunctionType(types, {}));
  entry->setAttr("weft.entry", builder.getUnitAttr());
  builder.setInsertionPointToStart(entry.addEntryBlock());
  for (auto [index, spec] : llvm::enumerate(specs)) {
    NamedAttrList attributes = describe(spec.name, spec.dims);
    if (spec.indexLimit > 0)
      attributes.set("weft.index_limit", builder.getI64IntegerAttr(spec.indexLimit));
    if (spec.defaultValue)
      attributes.set("weft.default", builder.getI64IntegerAttr(*spec.defaultValue));
    entry.setArgAttrs(index, attributes);
    inputs[spec.name] = entry.getArgument(index);
    addArgument(index, spec.dims);
  }
  for (auto [index, spec] : llvm::enumerate(stateSpecs)) {
    NamedAttrList attributes = describe(spec.name, spec.dims);
    attributes.set("weft.state", builder.getUnitAttr());
    if (!spec.fills.empty())
      attributes.set("weft.fills",
                     builder.getStrArrayAttr(llvm::to_vector_of<llvm::StringRef>(llvm::ArrayRef(spec.fills))));
    entry.setArgAttrs(specs.size() + index, attributes);
    states[spec.name] = entry.getArgument(specs.size() + index);
    addArgument(specs.size() + index, spec.dims);
  }
}

Value GraphBuilder::state(llvm::StringRef name) const {
  assert(hasState(name) && "the entry has no such state");
  return states.at(name.str());
}

void GraphBuilder::setState(llvm::StringRef name, Value value) {
  assert(value.getType() == state(name).getType() && "a state keeps its shape");
  states[name.str()] = value;
}

Value GraphBuilder::input(llvm::StringRef name) const {
  assert(hasInput(name) && "no such input");
  return inputs.at(name.str());
}

bool GraphBuilder::hasInput(llvm::StringRef name) const { return inputs.count(name.str()) != 0; }

OpFoldResult GraphBuilder::dim(llvm::StringRef name) const {
  assert(dims.count(name.str()) && "no input has this dimension");
  return dims.at(name.str());
}

void GraphBuilder::output(llvm::StringRef name, Value value, std::vector<std::string> outputDims) {
  assert(cast<RankedTensorType>(value.getType()).getRank() == static_cast<int64_t>(outputDims.size()));
  outputs.push_back({name.str(), value, std::move(outputDims)});
}

void GraphBuilder::endEntry() {
  llvm::SmallVector<Value> values;
  llvm::SmallVector<NamedAttrList> attributes;
  for (const Output &output : outputs) {
    values.push_back(output.value);
    attributes.push_back(describe(output.name, output.dims));
  }
  for (const StateSpec &spec : stateSpecs) {
    values.push_back(states.at(spec.name));
    attributes.push_back(describe(spec.name, spec.dims));
    attributes.back().set("weft.state", builder.getUnitAttr());
  }
  func::ReturnOp::create(builder, location, values);
  entry.setFunctionType(builder.getFunctionType(entry.getArgumentTypes(), ValueRange(values).getTypes()));
  for (auto [index, described] : llvm::enumerate(attributes))
    entry.setResultAttrs(index, described.getDictionary(builder.getContext()));
}

Result<OwningOpRef<ModuleOp>> GraphBuilder::finish() {
  if (failure)
    return std::move(*failure);
  NamedAttrList attributes;
  for (const auto &[dim, range] : bounds)
    attributes.set(dim, builder.getDenseI64ArrayAttr({range.first, range.second}));
  (*module)->setAttr("weft.dim_bounds", attributes.getDictionary(builder.getContext()));
  if (mlir::failed(mlir::verify(*module)))
    return Diagnostic{"W0290", "the importer built a program that does not verify", parameters.place(),
                      "this is a defect of Weft: report it with the model's config.json"};
  return std::move(module);
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

static std::string shapeText(llvm::ArrayRef<int64_t> shape) {
  return "[" + llvm::join(llvm::map_range(shape, [](int64_t d) { return std::to_string(d); }), ", ") + "]";
}

void GraphBuilder::checkParameter(const StoredTensor &stored, llvm::ArrayRef<int64_t> shape) {
  std::string where = parameters.place() + ": tensor " + stored.name;
  if (stored.dtype != "F32" && stored.dtype != "F16" && stored.dtype != "BF16" && stored.dtype != "MXFP4")
    return fail({"W0212", "weights of type " + stored.dtype + " cannot be compiled", where,
                 "convert the model's weights to F32, F16 or BF16"});
  if (llvm::ArrayRef<int64_t>(stored.shape) != shape)
    fail({"W0211", "the tensor has shape " + shapeText(stored.shape) + ", but config.json asks for " + shapeText(shape),
          where, "config.json and the weights must come from the same model"});
}

std::optional<StoredTensor> GraphBuilder::findTensor(llvm::StringRef name) {
  std::optional<StoredTensor> stored = parameters.find(std::string_view(name));
  if (!stored)
    fail({"W0210", "the tensor " + name.str() + " is missing", parameters.place(),
          "the folder may be incomplete, or hold another architecture than config.json says: fetch it again"});
  return stored;
}

Value GraphBuilder::createParameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, ArrayAttr sources,
                                    DenseI64ArrayAttr order) {
  Scope scope(*this, name);
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  Value value = ParameterOp::create(builder, location, type, builder.getStringAttr(name), sources, PanelsAttr(),
                                    ArrayAttr(), order);
  Sizes staticSizes;
  for (int64_t extent : shape)
    staticSizes.push_back(builder.getIndexAttr(extent));
  return known(value, staticSizes);
}

Value GraphBuilder::parameter(llvm::StringRef name, llvm::ArrayRef<int64_t> shape) {
  Value &value = parameterValues[name.str()];
  if (value)
    return value;
  ArrayAttr sources;
  if (std::optional<StoredTensor> stored = findTensor(name)) {
    checkParameter(*stored, shape);
    if (stored->name != name)
      sources = builder.getStrArrayAttr({stored->name});
  }
  return value = createParameter(name, shape, sources);
}

Value GraphBuilder::stackedParameter(llvm::StringRef name, llvm::ArrayRef<std::string> sources,
                                     llvm::ArrayRef<int64_t> shape, bool turned) {
  assert((sources.size() == 1 || static_cast<int64_t>(sources.size()) == shape.front()) && "a tensor for each entry");
  Value &value = parameterValues[name.str()];
  if (value)
    return value;
  llvm::SmallVector<int64_t> merged(shape.drop_front());
  if (sources.size() == 1)
    merged.front() *= shape.front();
  std::vector<std::string> names;
  for (const std::string &source : sources) {
    std::optional<StoredTensor> stored = findTensor(source);
    if (!stored)
      break;
    checkParameter(*stored, sources.size() == 1 && stored->shape.size() == shape.size() ? shape : merged);
    names.push_back(stored->name);
  }
  llvm::SmallVector<int64_t> extents(shape), order(llvm::to_vector(llvm::seq<int64_t>(shape.size())));
  if (turned) {
    std::swap(extents.end()[-1], extents.end()[-2]);
    std::swap(order.end()[-1], order.end()[-2]);
  }
  bool isItself = names.empty() || (names.size() == 1 && names.front() == name); // empty: failed
  return value = createParameter(name, extents,
                                 isItself ? ArrayAttr()
                                          : builder.getStrArrayAttr(llvm::to_vector_of<llvm::StringRef>(names)),
                                 turned ? builder.getDenseI64ArrayAttr(order) : DenseI64ArrayAttr());
}

} // namespace weft
