// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .safetensors file as named views of its bytes. Layout: the length of the header (8 bytes, little-endian), the
// header (JSON), the data. The format is specified in the safetensors repository's README.md and src/tensor.rs; every
// rule is checked when a file is opened, so a view can be used without further checks.
#ifndef WEFT_FRONTENDS_WEIGHTS_SAFETENSORS_H
#define WEFT_FRONTENDS_WEIGHTS_SAFETENSORS_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/weights/DType.h"
#include "frontends/weights/MappedFile.h"

#include <cassert>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace weft {

/// The format's own limit on the header.
constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

/// More dimensions than any published weight has; as many as the runtime's ABI carries.
constexpr size_t kMaxTensorRank = 8;

/// Elements that share a scale in MXFP4 (Open Compute Project, Microscaling Formats 1.0).
constexpr size_t kBlockOfF4 = 32;

/// float32 values that are computed when they are read.
class ComputedValues {
public:
  virtual ~ComputedValues() = default;

  /// Fills out, which has as many elements as the tensor.
  virtual void read(std::span<float> out) const = 0;
};

/// A tensor inside an open file. Its bytes may start at any address, odd ones included.
struct TensorView {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes; ///< exactly shape × dtype, row-major, little-endian
  /// Of F4 that are numbers: a power of two for each kBlockOfF4 elements, as F8_E8M0. Empty: there is none.
  std::span<const std::byte> scales = {};
  /// The values of a tensor that lies in no bytes: it is F32, and has no bytes.
  std::shared_ptr<const ComputedValues> computed = {};

  uint64_t elements() const;

  /// The elements copied out; T must be as large as an element.
  template <class T> std::vector<T> values() const {
    static_assert(std::is_trivially_copyable_v<T>);
    assert(!computed && "such values are read by readF32");
    assert(sizeof(T) * 8 == bitsPerElement(dtype) && "T is not this tensor's element");
    std::vector<T> result(elements());
    if (!result.empty())
      std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }
};

/// What the bytes of a file hold.
struct SafetensorsContent {
  std::vector<TensorView> tensors; ///< sorted by place; they point into the bytes
  std::map<std::string, std::string> metadata;
};

/// The bytes of a whole file, whose name is place. Errors: W0102 (something else in the file's place), W0110 to W0112,
/// W0120 to W0127.
Result<SafetensorsContent> parseSafetensors(std::span<const std::byte> bytes, const std::string &place);

class SafetensorsFile {
public:
  /// Errors: W0101, and those of parseSafetensors.
  static Result<SafetensorsFile> open(const std::filesystem::path &path);

  /// Sorted by place in the file.
  const std::vector<TensorView> &tensors() const { return content.tensors; }

  /// Null when there is none of this name.
  const TensorView *find(std::string_view name) const;

  const std::map<std::string, std::string> &metadata() const { return content.metadata; }

private:
  SafetensorsFile(MappedFile file, SafetensorsContent content);

  MappedFile file;
  SafetensorsContent content;
  std::unordered_map<std::string_view, size_t> byName; ///< keys live in content
};

/// A name from a file as it may be printed: quoted, control characters replaced, cut to 200 bytes.
std::string printableName(std::string_view name);

/// "[2, 3]".
std::string printableShape(std::span<const int64_t> shape);

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_SAFETENSORS_H
