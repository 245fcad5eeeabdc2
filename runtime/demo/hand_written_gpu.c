/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A model.so written by hand, with code for GPUs and for the CPU. Beside it an artifact has the kernels of
 * runtime/demo/kernels, kernels/TARGET/NAME.ptx, and the weight alpha[1].
 *
 *   out[i]   = alpha * x[i] + y[i]     two kernels; what is between them is in the arena
 *   total[i] = total[i] + out[i]       a state
 *   steps    = steps + 1               a state that is checked before each call: below 1000
 *
 * for i in [0, n), where n may be any number: the last block of a grid has threads without work. */
#include "weft/abi.h"

#include <stddef.h>

/* Tests build variants of this file that a runtime must refuse. */
#ifndef DEMO_SHARED_BYTES
#define DEMO_SHARED_BYTES 512 /* a float of each thread; kernel "scale" takes it at launch */
#endif
#ifndef DEMO_SCRATCH_BYTES
#define DEMO_SCRATCH_BYTES 0 /* of each block, for kernel "scale" */
#endif
#ifndef DEMO_FIRST_KERNEL
#define DEMO_FIRST_KERNEL 0
#endif
#ifndef DEMO_GRID_Y
#define DEMO_GRID_Y 1
#endif

enum { kThreads = 128 };
enum { kScale, kAdd = 2 }; /* kernels, counted from the first of a target; 1 is the same as 2, and one file */
enum { kX, kY };           /* inputs */
enum { kTotal, kSteps };   /* states */

static int64_t arena_bytes(const int64_t *dims) { return dims[0] * (int64_t)sizeof(float); }

/* Host code: extents and launches. What the call points to is the device's memory. */
static int32_t run_on_gpu(const weft_abi_call *call) {
  int64_t n = call->dims[0], blocks = (n + kThreads - 1) / kThreads;
  const void *x = call->inputs[kX], *y = call->inputs[kY], *alpha = call->parameters[0];
  void *scaled = call->arena, *out = call->outputs[0], *total = call->states[kTotal], *steps = call->states[kSteps];
  float factor = 1;
  if (call->arena_bytes < arena_bytes(call->dims))
    return WEFT_ABI_ARENA_TOO_SMALL;
  void *scale[] = {&x, &alpha, &scaled, &n, &factor};
  int32_t code = call->services->launch(call, DEMO_FIRST_KERNEL + kScale, blocks, DEMO_GRID_Y, 1, scale);
  if (code != WEFT_ABI_OK)
    return code;
  void *add[] = {&scaled, &y, &out, &total, &steps, &n};
  return call->services->launch(call, DEMO_FIRST_KERNEL + kAdd, blocks, 1, 1, add);
}

#ifdef DEMO_TENSOR_MAP
/* For compute capability 9.0: the first kernel gets its x in boxes of a block's threads, by a bulk copy. */
static int32_t run_tiled(const weft_abi_call *call) {
  int64_t n = call->dims[0], blocks = (n + kThreads - 1) / kThreads;
  const void *y = call->inputs[kY], *alpha = call->parameters[0];
  void *scaled = call->arena, *out = call->outputs[0], *total = call->states[kTotal], *steps = call->states[kSteps];
  _Alignas(64) char map[WEFT_ABI_TENSOR_MAP_BYTES];
  weft_abi_tensor_map boxes = {call->inputs[kX], DEMO_TENSOR_MAP, 1, {n}, {0}, {kThreads}, 0};
  if (call->arena_bytes < arena_bytes(call->dims))
    return WEFT_ABI_ARENA_TOO_SMALL;
  int32_t code = call->services->encode_tensor_map(call, &boxes, map);
  if (code != WEFT_ABI_OK)
    return code;
  void *scale[] = {map, &alpha, &scaled, &n};
  code = call->services->launch(call, kScale, blocks, 1, 1, scale);
  if (code != WEFT_ABI_OK)
    return code;
  void *add[] = {&scaled, &y, &out, &total, &steps, &n};
  return call->services->launch(call, kAdd, blocks, 1, 1, add);
}
#define RUN_ON_HOPPER run_tiled
#define SCALE_ON_HOPPER {"scale_tiled", "sm_90a", kThreads, DEMO_SHARED_BYTES, 4, 0}
#else
#define RUN_ON_HOPPER run_on_gpu
#define SCALE_ON_HOPPER {"scale", "sm_90a", kThreads, DEMO_SHARED_BYTES, 5, DEMO_SCRATCH_BYTES}
#endif

static int32_t run_on_cpu(const weft_abi_call *call) {
  const float *x = call->inputs[kX], *y = call->inputs[kY], *alpha = call->parameters[0];
  float *out = call->outputs[0], *total = call->states[kTotal];
  for (int64_t i = 0; i < call->dims[0]; ++i) {
    out[i] = alpha[0] * x[i] + y[i];
    total[i] += out[i];
  }
  *(int64_t *)call->states[kSteps] += 1;
  return WEFT_ABI_OK;
}

static const weft_abi_dim dims[] = {{"n", 1, INT64_C(1) << 40}};
static const int64_t vector[] = {-1}, one[] = {1};

static const weft_abi_tensor inputs[] = {{"x", WEFT_F32, 1, vector, 0, 0, 0, 0},
                                         {"y", WEFT_F32, 1, vector, 0, 1, 0, 1}};
static const weft_abi_tensor outputs[] = {{"out", WEFT_F32, 1, vector, 0, 0, 0, 0}};
static const weft_abi_parameter parameters[] = {{"alpha", WEFT_F32, 1, one}};

static const char *const state_dims[] = {"n"};
static const weft_abi_state states[] = {{"total", WEFT_F32, 1, vector, 0, NULL, NULL},
                                        {"steps", WEFT_I64, 1, one, 1000, NULL, NULL}};
static const int32_t used_states[] = {kTotal, kSteps};

static const weft_abi_variant variants[] = {{"sm_90a", 0, RUN_ON_HOPPER, arena_bytes, WEFT_DEVICE_CUDA, 90, 1, 0},
                                            {"sm_80", 0, run_on_gpu, arena_bytes, WEFT_DEVICE_CUDA, 80, 0, 0},
                                            {"portable", 0, run_on_cpu, arena_bytes, WEFT_DEVICE_CPU, 0, 0, 0}};
#ifdef DEMO_GPU_ONLY
enum { kVariants = 2 };
#else
enum { kVariants = 3 };
#endif

static const weft_abi_kernel kernels[] = {SCALE_ON_HOPPER,
                                          {"add", "sm_90a", kThreads, 0, 6, 0},
                                          {"add", "sm_90a", kThreads, 0, 6, 0},
                                          {"scale", "sm_80", kThreads, DEMO_SHARED_BYTES, 5, 0},
                                          {"add", "sm_80", kThreads, 0, 6, 0},
                                          {"add", "sm_80", kThreads, 0, 6, 0}};

static const weft_abi_entry entries[] = {
    {"saxpy", 1, 2, 1, kVariants, dims, inputs, outputs, variants, used_states, 2, 0}};

__attribute__((visibility("default"))) const weft_abi_model weft_model_descriptor = {
    WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "by hand", "saxpy", 1,       1, entries,
    parameters,     states,         state_dims,     2,         1,       kernels, 6, 0};
