// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuTensorMapEncodeTiled.
#include "tools/ptxsim/async/TensorMap.h"
#include "tools/ptxsim/driver/State.h"

#include <cstring>

namespace weft::ptxsim::driver {

PTXSIM_API int cuTensorMapEncodeTiled(void *encoded, int type, uint32_t rank, void *address, const uint64_t *sizes,
                                      const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                                      int interleave, int swizzle, int promotion, int fill) {
  return guarded([&](State &state) {
    if (state.settings.capability < 90)
      return NOT_SUPPORTED;
    int element = tensorElementOfDriver(type);
    if (!encoded || uintptr_t(encoded) % 64 || element < 0 || rank < 1 || rank > TensorMap::kMaxRank ||
        interleave < 0 || interleave > 2 || swizzle < 0 || swizzle > 3 || promotion < 0 || promotion > 3 || fill < 0 ||
        fill > 1)
      return INVALID_VALUE;
    TensorMap map = {};
    map.address = uintptr_t(address);
    map.rankMinusOne = uint8_t(rank - 1);
    map.element = TensorElement(element);
    map.interleave = uint8_t(interleave);
    map.swizzle = TensorSwizzle(swizzle);
    map.fillNan = uint8_t(fill);
    for (uint32_t dimension = 0; dimension < rank; ++dimension) {
      if (sizes[dimension] == 0 || sizes[dimension] > uint64_t(1) << 32 || box[dimension] > 256 ||
          elementStrides[dimension] > 8)
        return INVALID_VALUE;
      // 2^32 itself has no room in the field and coordinates end at 2^31: the one element more is out of reach.
      map.sizes[dimension] = uint32_t(std::min<uint64_t>(sizes[dimension], UINT32_MAX));
      map.box[dimension] = uint16_t(box[dimension]);
      map.elementStrides[dimension] = uint8_t(elementStrides[dimension]);
      if (dimension > 0)
        map.strides[dimension - 1] = strides[dimension - 1];
    }
    if (std::string problem = map.problem(); !problem.empty()) {
      state.report("cuTensorMapEncodeTiled: " + problem);
      return INVALID_VALUE;
    }
    std::memcpy(encoded, &map, sizeof map);
    return SUCCESS;
  });
}

PTXSIM_API int cuTensorMapReplaceAddress(void *encoded, void *address) {
  return guarded([&](State &) {
    if (!encoded || uintptr_t(address) % 16)
      return INVALID_VALUE;
    static_cast<TensorMap *>(encoded)->address = uintptr_t(address);
    return SUCCESS;
  });
}

/// Triton looks the name up; convolution's maps are not simulated.
PTXSIM_API int cuTensorMapEncodeIm2col(...) { return NOT_SUPPORTED; }

} // namespace weft::ptxsim::driver
