// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/core/Digest.h"
#include "runtime/cpu/CpuFeatures.h"

#include <cstdio>

namespace weft::runtime {

static Digest textOf(DigestBits bits) {
  Digest digest;
  snprintf(digest.text, sizeof(digest.text), "%016llx%016llx", static_cast<unsigned long long>(bits.high),
           static_cast<unsigned long long>(bits.low));
  return digest;
}

Digest digestOf(const void *data, size_t size) {
#if defined(__x86_64__)
  uint64_t features = cpuFeatures();
  if (features & WEFT_CPU_V4)
    return textOf(digestV4(data, size));
  if (features & WEFT_CPU_V3)
    return textOf(digestV3(data, size));
#endif
  return textOf(digestPortable(data, size));
}

weft_status digestOf(const File &file, Digest &digest) {
  alignas(64) XXH3_state_t state;
  XXH3_128bits_reset(&state);
  constexpr size_t kPiece = 16384; // on the stack of any thread
  char piece[kPiece];
  for (uint64_t offset = 0; offset < file.size;) {
    uint64_t left = file.size - offset;
    size_t bytes = left < kPiece ? static_cast<size_t>(left) : kPiece;
    if (weft_status status = file.read(piece, offset, bytes))
      return status;
    XXH3_128bits_update(&state, piece, bytes);
    offset += bytes;
  }
  XXH128_hash_t hash = XXH3_128bits_digest(&state);
  digest = textOf({hash.high64, hash.low64});
  return WEFT_OK;
}

} // namespace weft::runtime
