// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/File.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weft::runtime {

static const char *const kCompileAgain = "make the artifact again with `weft compile MODEL -o NAME.weft`";

Directory::~Directory() {
  if (descriptor >= 0)
    close(descriptor);
}

weft_status Directory::open(const char *path) {
  this->path = path;
  descriptor = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0)
    return WEFT_OK;
  int reason = errno;
  return fail(kFileUnreadable, Place("%s", path), "give the directory that `weft compile MODEL -o NAME.weft` wrote",
              "the artifact cannot be opened: %s", reason == ENOTDIR ? "it is not a directory" : strerror(reason));
}

File::~File() {
  if (descriptor >= 0)
    close(descriptor);
}

Place File::place() const { return Place("%s/%s", directory->path, name); }

Place File::place(uint64_t offset) const {
  return Place("%s/%s:%llu", directory->path, name, static_cast<unsigned long long>(offset));
}

/// Opens a name relative to a directory, through folders that are no symbolic links; -1 with errno.
static int openBelow(int directory, const char *name) {
  const char *slash = strchr(name, '/');
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  if (!slash)
    return openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  char folder[256];
  snprintf(folder, sizeof(folder), "%.*s", int(slash - name), name);
  int opened = openat(directory, folder, O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0)
    return -1;
  int file = openBelow(opened, slash + 1), reason = errno;
  close(opened);
  errno = reason;
  return file;
}

weft_status File::open(const Directory &directory, const char *name) {
  this->directory = &directory;
  snprintf(this->name, sizeof(this->name), "%s", name);
  descriptor = openBelow(directory.descriptor, name);
  if (descriptor < 0) {
    int reason = errno;
    return fail(kFileUnreadable, place(), kCompileAgain, "the file cannot be opened: %s",
                reason == ELOOP ? "it is a symbolic link" : strerror(reason));
  }
  struct stat state;
  if (fstat(descriptor, &state) != 0 || !S_ISREG(state.st_mode))
    return fail(kFileUnreadable, place(), kCompileAgain, "the file is not a regular file");
  size = static_cast<uint64_t>(state.st_size);
  return WEFT_OK;
}

weft_status File::read(void *buffer, uint64_t offset, size_t bytes) const {
  char *out = static_cast<char *>(buffer);
  while (bytes > 0) {
    ssize_t got = pread(descriptor, out, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return fail(kFileUnreadable, place(offset), kCompileAgain, "the file cannot be read: %s",
                  got < 0 ? strerror(errno) : "it was cut while it was read");
    out += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<size_t>(got);
  }
  return WEFT_OK;
}

Mapping::~Mapping() {
  if (size)
    munmap(const_cast<char *>(data), size);
}

weft_status Mapping::map(const File &file, bool readNow) {
  if (file.size == 0) {
    data = "";
    return WEFT_OK;
  }
  // Private: nothing the process does reaches the file. MAP_POPULATE takes the
  // pages in one sweep instead of a fault for each.
  void *address = mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE | (readNow ? MAP_POPULATE : 0), file.descriptor, 0);
  if (address == MAP_FAILED)
    return failOutOfMemory(file.place().text, file.size);
  data = static_cast<const char *>(address);
  size = file.size;
  return WEFT_OK;
}

} // namespace weft::runtime
