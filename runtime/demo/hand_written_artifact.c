/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model written by hand against abi.h: what the compiler generates, small
 * enough to read. One entry, for ids[batch, sequence] and scale[batch,
 * sequence]:
 *
 *   rows[b, s, :] = scale[b, s] * table[ids[b, s], :] + bias[:]
 *   sums[b, :]    = sum over s of rows[b, s, :]
 *
 * The rows are computed in parallel over tokens, in the arena first; the sums
 * in parallel over the batch, each in the order of s, so that no result depends
 * on how the work was cut.
 *
 * Tests compile it with other versions and features through the macros. */
#include "weft/abi.h"

#include <stddef.h>
#include <string.h>

#ifndef DEMO_ABI_MAJOR
#define DEMO_ABI_MAJOR WEFT_ABI_MAJOR
#endif
#ifndef DEMO_ABI_MINOR
#define DEMO_ABI_MINOR WEFT_ABI_MINOR
#endif
#ifndef DEMO_MAGIC
#define DEMO_MAGIC WEFT_ABI_MAGIC
#endif
#ifndef DEMO_LEAST_FEATURES /* what the last variant needs */
#define DEMO_LEAST_FEATURES 0
#endif

enum { kVocabulary = 10, kHidden = 16 };
enum { kBatch, kSequence }; /* dims */
enum { kIds, kScale };      /* inputs */
enum { kRows, kSums };      /* outputs */
enum { kTable, kBias };     /* parameters */

/* One region over tokens. */
static void row_range(void *arguments, int64_t begin, int64_t end) {
  const weft_abi_call *call = arguments;
  const int64_t *ids = call->inputs[kIds];
  const float *scale = call->inputs[kScale];
  const float *table = call->parameters[kTable];
  const float *bias = call->parameters[kBias];
  float *scratch = call->arena;
  for (int64_t token = begin; token < end; ++token)
    for (int h = 0; h < kHidden; ++h)
      scratch[token * kHidden + h] = scale[token] * table[ids[token] * kHidden + h] + bias[h];
}

/* One region over the batch. */
static void sum_range(void *arguments, int64_t begin, int64_t end) {
  const weft_abi_call *call = arguments;
  int64_t sequence = call->dims[kSequence];
  const float *rows = call->arena;
  float *sums = call->outputs[kSums];
  for (int64_t b = begin; b < end; ++b)
    for (int h = 0; h < kHidden; ++h) {
      float sum = 0;
      for (int64_t s = 0; s < sequence; ++s)
        sum += rows[(b * sequence + s) * kHidden + h];
      sums[b * kHidden + h] = sum;
    }
}

static int64_t arena_bytes(const int64_t *dims) {
  int64_t tokens, bytes;
  if (__builtin_mul_overflow(dims[kBatch], dims[kSequence], &tokens) ||
      __builtin_mul_overflow(tokens, kHidden * sizeof(float), &bytes))
    return -1;
  return bytes;
}

static int32_t run(const weft_abi_call *call) {
  int64_t tokens = call->dims[kBatch] * call->dims[kSequence];
  if (call->arena_bytes < arena_bytes(call->dims))
    return WEFT_ABI_ARENA_TOO_SMALL;
  call->services->parallel_for(call, row_range, (void *)call, tokens, kHidden);
  call->services->parallel_for(call, sum_range, (void *)call, call->dims[kBatch], call->dims[kSequence] * kHidden);
  memcpy(call->outputs[kRows], call->arena, (size_t)arena_bytes(call->dims));
  return WEFT_ABI_OK;
}

static const weft_abi_dim dims[] = {{"batch", 1, 64}, {"sequence", 1, 512}};

/* Extents below 0 name a dimension: -1 is dims[0], -2 is dims[1]. */
static const int64_t token_shape[] = {-1, -2};
static const int64_t rows_shape[] = {-1, -2, kHidden};
static const int64_t sums_shape[] = {-1, kHidden};
static const int64_t table_shape[] = {kVocabulary, kHidden};

static const weft_abi_tensor inputs[] = {{"ids", WEFT_I64, 2, token_shape, kVocabulary, 0, 0, 0},
                                         {"scale", WEFT_F32, 2, token_shape, 0, 1, 0, 1}};
static const weft_abi_tensor outputs[] = {{"rows", WEFT_F32, 3, rows_shape, 0, 0, 0, 0},
                                          {"sums", WEFT_F32, 2, sums_shape, 0, 0, 0, 0}};
static const weft_abi_parameter parameters[] = {{"table", WEFT_F32, 2, table_shape},
                                                {"bias", WEFT_F32, 1, table_shape + 1}};

static const weft_abi_variant variants[] = {
    {"v3", WEFT_CPU_V3 | DEMO_LEAST_FEATURES, run, arena_bytes, WEFT_DEVICE_CPU, 0, 0, 0},
    {"portable", DEMO_LEAST_FEATURES, run, arena_bytes, WEFT_DEVICE_CPU, 0, 0, 0}};

static const weft_abi_entry entries[] = {{"embed", 2, 2, 2, 2, dims, inputs, outputs, variants, NULL, 0, 0}};

__attribute__((visibility("default"))) const weft_abi_model weft_model_descriptor = {
    DEMO_MAGIC, DEMO_ABI_MAJOR, DEMO_ABI_MINOR, "by hand", "demo", 1,    2, entries,
    parameters, NULL,           NULL,           0,         0,      NULL, 0, 0};
