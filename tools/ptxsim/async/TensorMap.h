// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps: what cuTensorMapEncodeTiled writes, tensormap.replace changes and TMA reads. The 128 bytes are this
// simulator's own encoding (NVIDIA's is not published); all zero bytes are an empty map which replace can fill, as
// Triton's kernels do.
// Source: PTX ISA 9.0, "Tensors", "tensormap.replace"; CUDA driver API, "Tensor Map Object Management".
#ifndef WEFT_TOOLS_PTXSIM_ASYNC_TENSORMAP_H
#define WEFT_TOOLS_PTXSIM_ASYNC_TENSORMAP_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft::ptxsim {

/// Numbers as in tensormap.replace's .elemtype.
enum class TensorElement : uint8_t { U8, U16, U32, S32, U64, S64, F16, F32, F32Ftz, F64, BF16, TF32, TF32Ftz };

/// Numbers as in CUtensorMapSwizzle and .swizzle_mode: spans of 16 (none), 32, 64, 128 bytes.
enum class TensorSwizzle : uint8_t { None, Bytes32, Bytes64, Bytes128 };

struct TensorMap {
  static constexpr int kMaxRank = 5;

  uint64_t address;
  uint64_t strides[kMaxRank - 1]; // bytes; of dimensions 1 to rank - 1
  uint32_t sizes[kMaxRank];       // elements; dimension 0 is contiguous
  uint16_t box[kMaxRank];         // elements of a tile
  uint8_t elementStrides[kMaxRank];
  uint8_t rankMinusOne;
  TensorElement element;
  uint8_t interleave; // 0: none; others are refused
  TensorSwizzle swizzle;
  uint8_t fillNan; // what lies out of bounds is NaN, not 0
  uint8_t reserved[48];

  int rank() const { return rankMinusOne + 1; }
  int elementBytes() const;
  int swizzleSpan() const; // 0, 32, 64 or 128 bytes

  /// Elements of dimension `dimension` of a tile that lie in shared memory: box / element stride, rounded up.
  int tileExtent(int dimension) const;

  /// Bytes that a load of one tile writes to shared memory and counts at its mbarrier, out of bounds or not.
  uint32_t tileBytes() const;

  /// Why the map cannot be used, empty when it can: sizes, alignments and strides as the driver checks them.
  std::string problem() const;

  /// Sets the field that tensormap.replace names ("global_address", "box_dim", …); false when there is no such field or
  /// no such ordinal.
  bool replace(std::string_view field, int ordinal, uint64_t value);

  /// The pattern of NaN with which a load fills what lies out of bounds.
  uint64_t fillPattern() const;
};
static_assert(sizeof(TensorMap) == 128);

/// The element whose number in CUtensorMapDataType is `number`; -1 for numbers that are not supported.
int tensorElementOfDriver(int number);

/// One run of elements that lie side by side in global memory and in shared memory (before the swizzle).
struct TensorRun {
  uint64_t global; // address of the first element in bounds
  uint32_t offset; // from the start of the tile in shared memory, bytes, before the swizzle
  uint32_t bytes;  // of the run
  bool inside;     // false: out of bounds, `global` means nothing
};

/// Visits the tile whose first element has the coordinates `at` (of rank() dimensions, may be negative), in runs along
/// dimension 0.
void forEachRun(const TensorMap &map, const int32_t *at, const std::function<void(const TensorRun &)> &visit);

} // namespace weft::ptxsim

#endif
