// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The files of an artifact: opened relative to its directory, only when they
// are regular files that no symbolic link leads to.
#ifndef WEFT_RUNTIME_CORE_FILE_H
#define WEFT_RUNTIME_CORE_FILE_H

#include "runtime/core/Error.h"
#include "runtime/core/Memory.h"

namespace weft::runtime {

/// An open directory.
class Directory {
public:
  Directory() = default;
  Directory(const Directory &) = delete;
  Directory &operator=(const Directory &) = delete;
  ~Directory();

  /// `path` must outlive the directory: it is named in errors.
  weft_status open(const char *path);

  const char *path = nullptr;
  int descriptor = -1;
};

/// An open regular file.
class File {
public:
  File() = default;
  File(const File &) = delete;
  File &operator=(const File &) = delete;
  ~File();

  weft_status open(const Directory &directory, const char *name);

  /// Reads [offset, offset + bytes); fails when the file ends before.
  weft_status read(void *buffer, uint64_t offset, size_t bytes) const;

  /// "minilm.weft/model.so", for errors.
  Place place() const;
  Place place(uint64_t offset) const;

  int descriptor = -1;
  uint64_t size = 0;

private:
  const Directory *directory = nullptr;
  char name[256] = {};
};

/// A private read-only mapping of a whole file. The file may be closed.
class Mapping {
public:
  Mapping() = default;
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  ~Mapping();

  /// `readNow`: takes all pages at once, for a caller that reads them all.
  weft_status map(const File &file, bool readNow);

  const char *data = nullptr;
  size_t size = 0;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_FILE_H
