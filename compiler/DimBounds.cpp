// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/DimBounds.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"

namespace weft {

static constexpr const char *kAttribute = "weft.dim_bounds";

static std::string rangeText(const DimBounds &bounds) {
  return std::to_string(bounds.min) + ".." + std::to_string(bounds.max);
}

std::map<std::string, DimBounds> readDims(mlir::ModuleOp module) {
  std::map<std::string, DimBounds> dims;
  if (auto dictionary = module->getAttrOfType<mlir::DictionaryAttr>(kAttribute))
    for (mlir::NamedAttribute entry : dictionary)
      if (auto range = llvm::dyn_cast<mlir::DenseI64ArrayAttr>(entry.getValue()); range && range.size() == 2)
        dims[entry.getName().str()] = {range[0], range[1]};
  return dims;
}

Result<void> narrowDims(mlir::ModuleOp module, const std::map<std::string, DimBounds> &bounds) {
  std::map<std::string, DimBounds> dims = readDims(module);
  for (const auto &[name, wanted] : bounds) {
    auto found = dims.find(name);
    if (found == dims.end()) {
      std::string known;
      for (const auto &[other, ignored] : dims)
        known += (known.empty() ? "" : ", ") + other;
      return Diagnostic{"W0611", "the model has no dimension named '" + name + "'", "",
                        known.empty() ? "all its extents are fixed" : "its dimensions are " + known};
    }
    DimBounds &allowed = found->second;
    if (wanted.min < allowed.min || wanted.max > allowed.max || wanted.min > wanted.max)
      return Diagnostic{"W0612", "the bounds " + rangeText(wanted) + " of '" + name + "' are not within the model's",
                        "", "choose bounds within " + rangeText(allowed)};
    allowed = wanted;
  }
  mlir::Builder builder(module.getContext());
  std::vector<mlir::NamedAttribute> attributes;
  for (const auto &[name, range] : dims)
    attributes.push_back(builder.getNamedAttr(name, builder.getDenseI64ArrayAttr({range.min, range.max})));
  if (!bounds.empty())
    module->setAttr(kAttribute, builder.getDictionaryAttr(attributes));
  return {};
}

} // namespace weft
