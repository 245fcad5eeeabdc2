// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/ModelDescription.h"

#include "dialects/weft/WeftDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Config/llvm-config.h"

#include <algorithm>
#include <limits>

namespace weft {
namespace {

/// The WEFT_ number of a type, or 0.
int32_t dtypeOf(mlir::Type type) {
  if (type.isF32())
    return WEFT_F32;
  if (type.isF64())
    return WEFT_F64;
  if (type.isF16())
    return WEFT_F16;
  if (type.isBF16())
    return WEFT_BF16;
  if (type.isUnsignedInteger(8))
    return WEFT_U8;
  auto integer = llvm::dyn_cast<mlir::IntegerType>(type);
  switch (integer ? integer.getWidth() : 0) {
  case 1:
    return WEFT_BOOL;
  case 8:
    return WEFT_I8;
  case 16:
    return WEFT_I16;
  case 32:
    return WEFT_I32;
  case 64:
    return WEFT_I64;
  default:
    return 0;
  }
}

/// Walks one entry's signature; `dims` grows as inputs name new dimensions.
class EntryReader {
public:
  EntryReader(mlir::func::FuncOp function, mlir::DictionaryAttr bounds, ModelDescription &model)
      : function(function), bounds(bounds), model(model) {
    entry.name = function.getName().str();
  }

  Result<EntryDescription> read() {
    for (auto [index, type] : llvm::enumerate(function.getArgumentTypes())) {
      bool output = static_cast<bool>(function.getArgAttr(index, "weft.output"));
      if (Result<void> added = add(function.getArgAttrDict(index), type, output); !added)
        return added.takeError();
    }
    for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
      if (function.getResultAttr(index, "weft.state"))
        continue; // told by the argument of that name
      if (Result<void> added = add(function.getResultAttrDict(index), type, true); !added)
        return added.takeError();
    }
    return std::move(entry);
  }

private:
  Result<void> add(mlir::DictionaryAttr attributes, mlir::Type type, bool output) {
    auto shaped = llvm::dyn_cast<mlir::ShapedType>(type);
    auto name = attributes ? attributes.getAs<mlir::StringAttr>("weft.name") : nullptr;
    if (!shaped || !shaped.hasRank() || !name || shaped.getRank() > WEFT_ABI_MAX_RANK)
      return refuse("every argument and result is a ranked tensor with a weft.name, of at most 8 dimensions");
    TensorDescription tensor{name.str(), dtypeOf(shaped.getElementType()), {}, 0, std::nullopt};
    if (!tensor.dtype)
      return refuse("'" + tensor.name +
                    "' has elements of a type that arrays cannot have; they are f32, f64, f16, bf16, " +
                    "i1, i8, i16, i32, i64 or ui8");
    if (Result<void> shape = readShape(attributes, shaped, output, tensor); !shape)
      return shape;
    if (auto limit = attributes.getAs<mlir::IntegerAttr>("weft.index_limit"))
      tensor.indexLimit = limit.getInt();
    if (auto value = attributes.getAs<mlir::IntegerAttr>("weft.default"))
      tensor.defaultValue = value.getInt();
    if (attributes.get("weft.state"))
      return addState(attributes, tensor);
    (output ? entry.outputs : entry.inputs).push_back(std::move(tensor));
    return {};
  }

  /// The entry's own dimensions become the model's, so that entries can share the state.
  Result<void> addState(mlir::DictionaryAttr attributes, const TensorDescription &tensor) {
    StateDescription state{tensor.name, tensor.dtype, {}, tensor.indexLimit};
    if (auto dims = attributes.getAs<mlir::ArrayAttr>("weft.fills")) {
      state.fills = llvm::cast<mlir::StringAttr>(dims[0]).str();
      state.fillsBy = llvm::cast<mlir::StringAttr>(dims[1]).str();
    }
    for (int64_t extent : tensor.shape)
      state.shape.push_back(extent < 0 ? stateExtent(entry.dims[-(extent + 1)]) : extent);
    auto known = llvm::find_if(model.states, [&](const StateDescription &other) { return other.name == state.name; });
    if (known == model.states.end())
      known = model.states.insert(known, state);
    else if (!(*known == state))
      return refuse("state '" + state.name + "' has another type or other dimensions than in an earlier entry");
    auto position = static_cast<int32_t>(known - model.states.begin());
    if (llvm::is_contained(entry.states, position))
      return refuse("state '" + state.name + "' is two arguments");
    entry.states.push_back(position);
    return {};
  }

  int64_t stateExtent(const DimDescription &dim) {
    auto found = llvm::find(model.stateDims, dim.name);
    if (found == model.stateDims.end())
      found = model.stateDims.insert(found, dim.name);
    return -(found - model.stateDims.begin() + 1);
  }

  Result<void> readShape(mlir::DictionaryAttr attributes, mlir::ShapedType type, bool output,
                         TensorDescription &tensor) {
    auto names = attributes.getAs<mlir::ArrayAttr>("weft.dims");
    if (names && names.size() != static_cast<size_t>(type.getRank()))
      return refuse("'" + tensor.name + "' has " + std::to_string(type.getRank()) +
                    " dimensions, and weft.dims names " + std::to_string(names.size()));
    for (auto [index, extent] : llvm::enumerate(type.getShape())) {
      auto name = names ? llvm::dyn_cast<mlir::StringAttr>(names[index]) : nullptr;
      if (!name || name.empty()) {
        if (mlir::ShapedType::isDynamic(extent))
          return refuse("dimension " + std::to_string(index) + " of '" + tensor.name + "' is dynamic and has no name");
        tensor.shape.push_back(extent);
        continue;
      }
      int64_t dim = findDim(name.str(), extent, output);
      if (dim < 0)
        return refuse("no input has the dimension '" + name.str() + "' of output '" + tensor.name + "'");
      tensor.shape.push_back(-(dim + 1));
    }
    return {};
  }

  /// The number of the named dimension; inputs may bring new ones. A fixed extent is the only one allowed.
  int64_t findDim(const std::string &name, int64_t extent, bool output) {
    bool fixed = !mlir::ShapedType::isDynamic(extent);
    auto found = llvm::find_if(entry.dims, [&](const DimDescription &dim) { return dim.name == name; });
    if (found == entry.dims.end() && output)
      return -1;
    if (found == entry.dims.end()) {
      DimDescription dim{name, 1, std::numeric_limits<int32_t>::max()};
      if (auto range = bounds ? bounds.getAs<mlir::DenseI64ArrayAttr>(name) : nullptr; range && range.size() == 2)
        dim = {name, range[0], range[1]};
      found = entry.dims.insert(entry.dims.end(), dim);
    }
    if (fixed)
      found->min = found->max = extent;
    return found - entry.dims.begin();
  }

  Result<void> refuse(const std::string &message) {
    return Diagnostic{"W0605", "entry '" + entry.name + "': " + message, "",
                      "see weft.entry in docs/spec.md for what an entry carries"};
  }

  mlir::func::FuncOp function;
  mlir::DictionaryAttr bounds;
  ModelDescription &model;
  EntryDescription entry;
};

Result<ParameterDescription> readParameter(mlir::Attribute attribute) {
  auto dictionary = llvm::dyn_cast<mlir::DictionaryAttr>(attribute);
  auto name = dictionary ? dictionary.getAs<mlir::StringAttr>("name") : nullptr;
  auto typeAttribute = dictionary ? dictionary.getAs<mlir::TypeAttr>("type") : nullptr;
  auto type = typeAttribute ? llvm::dyn_cast<mlir::ShapedType>(typeAttribute.getValue()) : nullptr;
  if (!name || !type || !type.hasStaticShape() || !dtypeOf(type.getElementType()))
    return Diagnostic{"W0605", "an item of weft.parameters lacks a name or a static type", "",
                      "give each item a name, a type and, where it is made of several tensors, its sources"};
  ParameterDescription parameter{name.str(), {}, std::nullopt, dtypeOf(type.getElementType()), type.getShape().vec()};
  if (auto sources = dictionary.getAs<mlir::ArrayAttr>("sources"))
    for (auto source : sources.getAsRange<mlir::StringAttr>())
      parameter.sources.push_back(source.str());
  if (parameter.sources.empty())
    parameter.sources.push_back(parameter.name);
  if (auto functions = dictionary.getAs<mlir::ArrayAttr>("functions"))
    for (auto function : functions.getAsRange<mlir::StringAttr>())
      parameter.functions.push_back(function.str());
  if (auto order = dictionary.getAs<mlir::DenseI64ArrayAttr>("order"))
    parameter.order = order.asArrayRef().vec();
  if (auto layout = dictionary.getAs<PanelsAttr>("layout"))
    parameter.panels =
        PanelsDescription{layout.getWidth(), layout.getOutByIn(), layout.getInt8(), layout.getForm().str()};
  return parameter;
}

} // namespace

int64_t ParameterDescription::elements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

int64_t ParameterDescription::bytes() const { return elements() * dtypeSize(dtype); }

std::vector<std::string> ModelDescription::entryNames() const {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const EntryDescription &entry : entries)
    names.push_back(entry.name);
  return names;
}

std::string compilerVersion() { return "weft " WEFT_VERSION " (LLVM " LLVM_VERSION_STRING ")"; }

int64_t dtypeSize(int32_t dtype) {
  switch (dtype) {
  case WEFT_F64:
  case WEFT_I64:
    return 8;
  case WEFT_F32:
  case WEFT_I32:
    return 4;
  case WEFT_F16:
  case WEFT_BF16:
  case WEFT_I16:
    return 2;
  default:
    return 1;
  }
}

Result<ModelDescription> describeModel(mlir::ModuleOp module) {
  ModelDescription model;
  auto name = module->getAttrOfType<mlir::StringAttr>("weft.model");
  model.name = name ? name.str() : "model";
  auto bounds = module->getAttrOfType<mlir::DictionaryAttr>("weft.dim_bounds");
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (!function->hasAttr("weft.entry"))
      continue;
    Result<EntryDescription> entry = EntryReader(function, bounds, model).read();
    if (!entry)
      return entry.takeError();
    model.entries.push_back(std::move(*entry));
  }
  if (auto ends = module->getAttrOfType<mlir::DenseI64ArrayAttr>("weft.end_tokens"))
    model.endTokens = ends.asArrayRef().vec();
  if (model.entries.empty())
    return Diagnostic{"W0605", "the module has no entry", "", "mark the functions that can be called with weft.entry"};
  if (auto parameters = module->getAttrOfType<mlir::ArrayAttr>("weft.parameters"))
    for (mlir::Attribute attribute : parameters) {
      Result<ParameterDescription> parameter = readParameter(attribute);
      if (!parameter)
        return parameter.takeError();
      model.parameters.push_back(std::move(*parameter));
    }
  return model;
}

} // namespace weft
