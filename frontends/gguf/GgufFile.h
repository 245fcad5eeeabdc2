// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .gguf file as metadata and named blocks. Layout: "GGUF", version, counts; the metadata; what each tensor is and
// where; the tensors, aligned. It is specified in ggml's docs/gguf.md; every rule is checked when a file is opened,
// before anything is allocated by a number of the file, so that values and tensors can be used without further checks.
#ifndef WEFT_FRONTENDS_GGUF_GGUFFILE_H
#define WEFT_FRONTENDS_GGUF_GGUFFILE_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/gguf/BlockFormat.h"
#include "frontends/gguf/Metadata.h"
#include "frontends/weights/MappedFile.h"

#include <filesystem>

namespace weft::gguf {

/// A tensor inside an open file.
struct BlockTensor {
  std::string name;
  const BlockFormat *format;
  std::vector<int64_t> shape; ///< row-major: the last extent is ggml's ne[0], a multiple of format->elements
  std::span<const std::byte> bytes;

  uint64_t elements() const { return bytes.size() / format->bytes * format->elements; }
};

/// What the bytes of a file hold; both point into them.
struct GgufContent {
  uint32_t version = 0;
  Metadata metadata;
  std::vector<BlockTensor> tensors; ///< in the order of the file
};

/// Whether the bytes begin as a GGUF file does.
bool isGguf(std::span<const std::byte> bytes);

/// The bytes of a whole file, whose name is place. Errors: W0150 to W0159.
Result<GgufContent> parseGguf(std::span<const std::byte> bytes, const std::string &place);

class GgufFile {
public:
  /// Errors: W0101, and those of parseGguf.
  static Result<GgufFile> open(const std::filesystem::path &path);

  const Metadata &metadata() const { return content.metadata; }
  const std::vector<BlockTensor> &tensors() const { return content.tensors; }
  /// The file, for diagnostics.
  const std::string &place() const { return path; }

private:
  GgufFile(MappedFile file, GgufContent content, std::string path)
      : file(std::move(file)), content(std::move(content)), path(std::move(path)) {}

  MappedFile file;
  GgufContent content;
  std::string path;
};

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_GGUFFILE_H
