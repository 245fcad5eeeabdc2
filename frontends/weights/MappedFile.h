// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A regular file as read-only bytes. Pages are read when they are touched, so a file of many gigabytes costs no memory
// up front.
#ifndef WEFT_FRONTENDS_WEIGHTS_MAPPEDFILE_H
#define WEFT_FRONTENDS_WEIGHTS_MAPPEDFILE_H

#include "frontends/diagnostic/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace weft {

class MappedFile {
public:
  /// Follows symbolic links, which the Hub's cache is made of, to regular files only: a FIFO or device is refused
  /// without waiting for it.
  static Result<MappedFile> open(const std::filesystem::path &path);

  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return content; }
  std::string_view text() const { return {reinterpret_cast<const char *>(content.data()), content.size()}; }

private:
  explicit MappedFile(std::span<const std::byte> content) : content(content) {}

  std::span<const std::byte> content;
};

/// A JSON file of at most maxBytes, read strictly (see StrictJson.h).
Result<nlohmann::json> readJsonFile(const std::filesystem::path &path, size_t maxBytes = size_t(100) << 20);

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_MAPPEDFILE_H
