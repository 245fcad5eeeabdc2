// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// XXH3-128 of memory. Compiled once for each instruction set, under the name
// WEFT_DIGEST: weights are hashed at every load, so the speed counts. All of
// xxHash is static here; no instruction of a wider set leaves this file.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/core/Digest.h"

namespace weft::runtime {

DigestBits WEFT_DIGEST(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(data, size);
  return {hash.high64, hash.low64};
}

} // namespace weft::runtime
