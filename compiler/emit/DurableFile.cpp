// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/DurableFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace weft {
namespace {

/// Closes at the end of the scope.
struct Descriptor {
  explicit Descriptor(int number) : number(number) {}
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int number;
};

} // namespace

Diagnostic cannotWrite(const std::filesystem::path &path, int error) {
  std::string help = "check the directory and its permissions";
  if (error == ENOSPC || error == EDQUOT)
    help = "free some space, or write to another disk with -o";
  else if (error == EROFS)
    help = "the file system is read-only: write to another place with -o";
  else if (error == ENOENT)
    help = "make the directory first";
  return {"W0630", std::string("cannot write: ") + std::strerror(error), path.string(), help};
}

Result<void> writeFile(const std::filesystem::path &path, std::string_view bytes) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.number < 0)
    return cannotWrite(path, errno);
  while (!bytes.empty()) {
    ssize_t count = write(file.number, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR)
      return cannotWrite(path, errno);
    bytes.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
  }
  if (fsync(file.number) != 0)
    return cannotWrite(path, errno);
  // A network file system may tell only now that its disk is full.
  int number = file.number;
  file.number = -1;
  if (close(number) != 0)
    return cannotWrite(path, errno);
  return {};
}

Result<void> flushToDisk(const std::filesystem::path &path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number < 0)
    return cannotWrite(path, errno);
  // Some file systems cannot flush a directory and say EINVAL: there is nothing to wait for then.
  if (fsync(file.number) != 0 && errno != EINVAL)
    return cannotWrite(path, errno);
  return {};
}

} // namespace weft
