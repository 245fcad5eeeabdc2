// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps of kernels, from the pass that makes a launch to the one that makes it a call of the runtime, which
// encodes them (`encode_tensor_map` of runtime/include/weft/abi.h).
#ifndef WEFT_LOWERING_ANALYSIS_LAUNCHTENSORMAP_H
#define WEFT_LOWERING_ANALYSIS_LAUNCHTENSORMAP_H

#include "mlir/IR/BuiltinAttributes.h"

namespace weft {

/// On parameters of device functions that are tensor maps.
constexpr const char *kTensorMapAttribute = "weft.tensor_map";
/// On launches: an array with one item for each map, in the order of the parameters, which come last.
constexpr const char *kTensorMapsAttribute = "weft.tensor_maps";

/// How a launch describes one map. Its operands are the address (a pointer), the extents in elements and the strides in
/// bytes (i64), each innermost first; they come after the other operands and after those of the maps before.
struct LaunchTensorMap {
  int64_t dtype, swizzle; ///< of weft_abi_tensor_map
  mlir::SmallVector<int64_t> box;

  int64_t rank() const { return box.size(); }
  int64_t operands() const { return 1 + 2 * rank(); }

  mlir::Attribute attribute(mlir::MLIRContext *context) const {
    mlir::SmallVector<int64_t> all = {dtype, swizzle};
    all.append(box.begin(), box.end());
    return mlir::DenseI64ArrayAttr::get(context, all);
  }
  static LaunchTensorMap of(mlir::Attribute attribute) {
    auto all = llvm::cast<mlir::DenseI64ArrayAttr>(attribute).asArrayRef();
    return {all[0], all[1], mlir::SmallVector<int64_t>(all.drop_front(2))};
  }
};

} // namespace weft

#endif // WEFT_LOWERING_ANALYSIS_LAUNCHTENSORMAP_H
