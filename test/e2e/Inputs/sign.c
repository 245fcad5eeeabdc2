// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sign FILE: prints length and digest of a file as an artifact's manifest holds them.
#define XXH_INLINE_ALL
#include <stdio.h>
#include <xxhash.h>

int main(int count, char **arguments) {
  static char bytes[1 << 24];
  FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
  if (!file)
    return 1;
  size_t length = fread(bytes, 1, sizeof(bytes), file);
  fclose(file);
  XXH128_hash_t hash = XXH3_128bits(bytes, length);
  printf("%zu %016llx%016llx\n", length, (unsigned long long)hash.high64, (unsigned long long)hash.low64);
  return 0;
}
