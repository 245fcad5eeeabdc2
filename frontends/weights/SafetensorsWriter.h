// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Named tensors → a .safetensors file, written piece by piece so that memory stays small, in place only when complete.
//
// The data begins at a multiple of 4096 bytes of the file and each tensor at a multiple of 64, so that a mapped file
// can be computed on as it is. The format wants the header's spaces at its end (which align the start) and forbids
// holes between tensors; where a tensor's size is no multiple of 64, a U8 tensor named "__pad.N" of zeros follows it.
// Any reader of the format takes such a file.
#ifndef WEFT_FRONTENDS_WEIGHTS_SAFETENSORSWRITER_H
#define WEFT_FRONTENDS_WEIGHTS_SAFETENSORSWRITER_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/weights/DType.h"
#include "frontends/weights/Safetensors.h"

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace weft {

constexpr uint64_t kDataAlignment = 4096; ///< of the first tensor in the file: a page
constexpr uint64_t kTensorAlignment = 64; ///< a cache line, and the widest vector

/// Tensors of this prefix are padding: readers may pass over them.
constexpr std::string_view kPaddingPrefix = "__pad.";

/// What a header says of a tensor.
struct TensorSpec {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;

  /// Shape × dtype; the shape must be countable and fill whole bytes.
  uint64_t bytes() const;
};

class SafetensorsWriter {
public:
  /// Begins a hidden temporary file beside path with the whole header. Errors: W0140 (file), W0141 (two tensors of one
  /// name, or one named as padding or __metadata__).
  static Result<SafetensorsWriter> create(const std::filesystem::path &path, std::span<const TensorSpec> tensors,
                                          const std::map<std::string, std::string> &metadata = {});

  SafetensorsWriter(SafetensorsWriter &&other) noexcept;
  SafetensorsWriter &operator=(SafetensorsWriter &&) = delete;

  /// Leaves nothing behind when the file was not committed.
  ~SafetensorsWriter();

  /// The next bytes of the data: all of the first tensor, in pieces of any size within one tensor, then the second….
  Result<void> append(std::span<const std::byte> bytes);

  /// Flushes to the disk and gives the file its name, replacing one that was there. All bytes must have been appended.
  Result<void> commit();

private:
  SafetensorsWriter() = default;

  Result<void> createTemporary();
  Result<void> writeHeader(const std::map<std::string, std::string> &metadata);
  Result<void> writeAll(std::span<const std::byte> bytes);
  Result<void> finishTensors();
  Diagnostic failure(const std::string &what) const;

  std::filesystem::path target;
  std::string temporary; ///< empty once committed
  int descriptor = -1;
  std::vector<TensorSpec> tensors;
  size_t current = 0; ///< tensor being written
  uint64_t writtenOfCurrent = 0;
};

/// All at once, from tensors in memory or mapped.
Result<void> writeSafetensors(const std::filesystem::path &path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string> &metadata = {});

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_SAFETENSORSWRITER_H
