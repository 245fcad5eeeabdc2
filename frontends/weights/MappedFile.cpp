// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/MappedFile.h"

#include "frontends/diagnostic/StrictJson.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace weft {
namespace {

/// Closes on every way out.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
};

Diagnostic unreadable(const std::filesystem::path &path, const std::string &reason) {
  return {"W0101", "cannot read the file: " + reason, path.string(), "check the path and its permissions"};
}

} // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path &path) {
  // O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever.
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0)
    return unreadable(path, std::strerror(errno));
  struct stat status;
  if (fstat(file.number, &status) != 0)
    return unreadable(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return unreadable(path, S_ISDIR(status.st_mode) ? "it is a directory" : "it is not a regular file");
  if (status.st_size == 0) // an empty range cannot be mapped
    return MappedFile({});
  size_t size = static_cast<size_t>(status.st_size);
  void *address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (address == MAP_FAILED)
    return unreadable(path, std::strerror(errno));
  return MappedFile({static_cast<const std::byte *>(address), size});
}

MappedFile::MappedFile(MappedFile &&other) noexcept : content(std::exchange(other.content, {})) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(content, other.content);
  return *this;
}

MappedFile::~MappedFile() {
  if (!content.empty())
    munmap(const_cast<std::byte *>(content.data()), content.size());
}

Result<nlohmann::json> readJsonFile(const std::filesystem::path &path, size_t maxBytes) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if (file->bytes().size() > maxBytes)
    return Diagnostic{"W0103",
                      "the file has " + std::to_string(file->bytes().size()) + " bytes, more than the " +
                          std::to_string(maxBytes) + " that a JSON file of a model may have",
                      path.string(), "check that this is the file you meant"};
  return parseStrictJson(file->text(), path.string());
}

} // namespace weft
