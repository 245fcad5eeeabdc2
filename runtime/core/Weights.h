// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weights.safetensors: mapped, checked, and matched with the parameters that
// the model's code reads.
//
//   8 bytes   header length, little-endian
//   header    {"name": {"dtype": "F32", "shape": [..], "data_offsets": [b, e]}}
//   data      tensors without holes or overlap, offsets from the end of header
//
// Parameters start at multiples of 64 bytes. The compiler sees to that by
// padding the header with spaces and by tensors that no parameter names.
#ifndef WEFT_RUNTIME_CORE_WEIGHTS_H
#define WEFT_RUNTIME_CORE_WEIGHTS_H

#include "runtime/core/Digest.h"
#include "runtime/core/JsonReader.h"

namespace weft::runtime {

/// A tensor as the header describes it.
struct StoredTensor {
  std::string_view name;
  std::string_view dtype;
  int64_t shape[WEFT_ABI_MAX_RANK];
  int32_t rank;
  uint64_t begin; // bytes from the start of the data
  uint64_t end;
};

class Weights {
public:
  static constexpr uint64_t kMaxHeaderBytes = 100'000'000; // as safetensors
  static constexpr uint64_t kAlignment = 64;               // one cache line

  /// Maps the file and checks its digest (null: not checked) and its header.
  weft_status open(const File &file, const std::string_view *digest);

  /// Finds the data of every parameter of the model.
  weft_status match(const weft_abi_model &model, const File &file, const void **parameters) const;

  Mapping mapping;

private:
  weft_status readHeader(const File &file);
  void readTensors(JsonReader &reader);
  void readTensor(JsonReader &reader, StoredTensor &tensor);
  weft_status checkExtents(const File &file);
  weft_status checkNames(const File &file);
  const StoredTensor *find(std::string_view name) const;

  JsonReader reader{{}};       // keeps the names
  Array<StoredTensor> tensors; // sorted by name
  size_t tensorCount = 0;
  uint64_t dataOffset = 0;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_WEIGHTS_H
