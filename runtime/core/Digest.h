// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// XXH3-128 digests as 32 lower-case hexadecimal digits, high half first, as
// `xxhsum -H2` prints them.
#ifndef WEFT_RUNTIME_CORE_DIGEST_H
#define WEFT_RUNTIME_CORE_DIGEST_H

#include "runtime/core/File.h"

namespace weft::runtime {

struct Digest {
  char text[33];
};

Digest digestOf(const void *data, size_t size);

/// Reads the file in pieces: it may be cut meanwhile, and a mapping would then
/// raise SIGBUS.
weft_status digestOf(const File &file, Digest &digest);

/// The 128 bits of a digest.
struct DigestBits {
  uint64_t high;
  uint64_t low;
};

// One source, compiled for several instruction sets (DigestOfMemory.cpp).
DigestBits digestPortable(const void *data, size_t size);
DigestBits digestV3(const void *data, size_t size);
DigestBits digestV4(const void *data, size_t size);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_DIGEST_H
