/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What compiled models and the runtime agree on: freestanding, versioned, plain data. A model.so exports one
 * symbol, `weft_model_descriptor`, of type `weft_abi_model`. All arrays are dense and row-major. */
#ifndef WEFT_ABI_H
#define WEFT_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_ABI_MAGIC 0x54464557u /* "WEFT", little-endian */
#define WEFT_ABI_MAJOR 4           /* differs: cannot load */
#define WEFT_ABI_MINOR 1           /* model newer than runtime: cannot load */
#define WEFT_ABI_MAX_RANK 8

/* Element types. */
enum {
  WEFT_F32 = 1,
  WEFT_F64 = 2,
  WEFT_F16 = 3,
  WEFT_BF16 = 4,
  WEFT_I8 = 5,
  WEFT_I16 = 6,
  WEFT_I32 = 7,
  WEFT_I64 = 8,
  WEFT_U8 = 9,
  WEFT_BOOL = 10 /* one byte, 0 or 1 */
};

/* CPU features that a code variant needs, as the loader tests them. */
#define WEFT_CPU_V3 (UINT64_C(1) << 0)       /* x86-64-v3: AVX2, FMA, BMI2, F16C, and OS support for ymm */
#define WEFT_CPU_V4 (UINT64_C(1) << 1)       /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL, and OS support for zmm */
#define WEFT_CPU_AMX_INT8 (UINT64_C(1) << 2) /* AMX tile + int8, permission granted */
#define WEFT_CPU_AMX_BF16 (UINT64_C(1) << 3)
#define WEFT_CPU_VNNI (UINT64_C(1) << 4) /* AVX512_VNNI: dot products of four bytes */
#define WEFT_CPU_BF16 (UINT64_C(1) << 5) /* AVX512_BF16: conversion to bf16 */
#define WEFT_CPU_FAST_BF16                                                                                             \
  (UINT64_C(1) << 6) /* AVX512_BF16 whose dot products start as often as multiply-adds: AMD's */

/* Where the work of a code variant is done. */
enum {
  WEFT_DEVICE_CPU = 0,
  WEFT_DEVICE_CUDA = 1 /* `run` is host code that launches kernels */
};

/* Codes that generated code returns. */
#define WEFT_ABI_OK 0
#define WEFT_ABI_ARENA_TOO_SMALL 1
#define WEFT_ABI_LAUNCH_FAILED 2 /* the runtime knows why; code that gets it from a service returns it at once */

struct weft_abi_call;

/* How bulk copies of a kernel (cp.async.bulk.tensor, from compute capability 9.0 on) see an array in the device's
 * memory: as boxes of its elements. Dimension 0 is the one whose elements lie side by side. What of a box lies outside
 * the array is read as zeros, and not written. */
typedef struct weft_abi_tensor_map {
  const void *address; /* a multiple of 16 */
  int32_t dtype;       /* WEFT_F32, … */
  int32_t rank;        /* 1 to 5 */
  int64_t extents[5];  /* elements, at most 2^32 */
  int64_t strides[5];  /* bytes from one element to the next, multiples of 16; that of dimension 0 is not read */
  int32_t box[5];      /* elements, 1 to 256 */
  int32_t swizzle;     /* bytes of shared memory over which 16-byte pieces are permuted: 0, 32, 64 or 128 */
} weft_abi_tensor_map;

/* A map as kernels take it, a parameter by value: so many bytes, at a multiple of 64. */
#define WEFT_ABI_TENSOR_MAP_BYTES 128

/* Work on items [begin, end). */
typedef void (*weft_abi_body)(void *arguments, int64_t begin, int64_t end);

/* Services that generated code may call. */
typedef struct weft_abi_services {
  /* Runs body over [0, count), cut into contiguous ranges, possibly on several threads; returns when all is done.
   * cost_per_item estimates one item in cycles, so that small regions stay on the calling thread. */
  void (*parallel_for)(const struct weft_abi_call *call, weft_abi_body body, void *arguments, int64_t count,
                       int64_t cost_per_item);
  /* Tells that the code is about to read experts of a weight: of `count` that lie one after the other,
   * `bytes` each, those with rows, offsets[e] < offsets[e + 1] (count + 1 offsets). The weight is one of the call's
   * parameters. From the thread of the call, outside of regions, and better early: the runtime may have to fetch them.
   */
  void (*experts_chosen)(const struct weft_abi_call *call, const void *weight, int64_t bytes, const int32_t *offsets,
                         int64_t count);
  /* Of CUDA variants: enqueues kernel number `kernel`, counted among the model's kernels of the variant's target, on
   * the call's stream: grid_x × grid_y × grid_z blocks (at most 2^31-1, 65535 and 65535; nothing where one is 0).
   * `arguments` has one pointer for each of the kernel's parameter_count values, which are read before this returns:
   * device addresses and integers of 8 bytes, floats of 4, tensor maps of 128. The runtime appends the two pointers
   * with which a kernel's parameters end (Triton's scratch pointers): to scratch_bytes for each block, null where that
   * is 0, and null. Returns WEFT_ABI_OK, or a code that `run` returns at once. */
  int32_t (*launch)(const struct weft_abi_call *call, int32_t kernel, int64_t grid_x, int64_t grid_y, int64_t grid_z,
                    void *const *arguments);
  /* Of CUDA variants: writes the tensor map that `described` asks for to `map`. Where an extent is 0, nothing can be
   * copied, and the map is zeros. Returns as `launch` does. */
  int32_t (*encode_tensor_map)(const struct weft_abi_call *call, const weft_abi_tensor_map *described, void *map);
} weft_abi_services;

/* One call of an entry. Pointers and extents were checked by the runtime. For a CUDA variant inputs, outputs,
 * parameters, arena and states are addresses of the device (256-byte aligned), which `run` only hands on; the arrays of
 * these addresses, and dims, are in the host's memory. */
typedef struct weft_abi_call {
  const weft_abi_services *services;
  void *executor;                /* the runtime's, opaque to generated code */
  const void *const *inputs;     /* in the order of weft_abi_entry.inputs */
  void *const *outputs;          /* in the order of weft_abi_entry.outputs */
  const void *const *parameters; /* in the order of weft_abi_model.parameters, 64-byte aligned */
  const int64_t *dims;           /* in the order of weft_abi_entry.dims */
  void *arena;                   /* 64-byte aligned scratch, at least arena_bytes(dims) */
  int64_t arena_bytes;
  void *const *states; /* in the order of weft_abi_entry.states, 64-byte aligned; read and written in place */
} weft_abi_call;

/* A named dimension with inclusive bounds. */
typedef struct weft_abi_dim {
  const char *name;
  int64_t min;
  int64_t max;
} weft_abi_dim;

/* An input or output. */
typedef struct weft_abi_tensor {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *shape; /* >= 0: a fixed extent; < 0: named dimension -(value + 1) */
  int64_t index_limit;  /* > 0: an integer input whose every value must lie in [0, index_limit) */
  int32_t optional;     /* 1: may be absent; then every element is default_value */
  int32_t reserved;
  int64_t default_value;
} weft_abi_tensor;

/* The code of an entry for one set of CPU features, or for GPUs of one architecture. */
typedef struct weft_abi_variant {
  const char *target; /* "v4", "v3", "portable"; "sm_80", "sm_90a" */
  uint64_t required_features;
  int32_t (*run)(const weft_abi_call *call);
  int64_t (*arena_bytes)(const int64_t *dims); /* negative: more than can be counted */
  int32_t device;                              /* WEFT_DEVICE_CPU, WEFT_DEVICE_CUDA */
  int32_t architecture;                        /* of CUDA: 90 is compute capability 9.0; else 0 */
  int32_t architecture_specific;               /* 1: for that capability only (sm_90a); 0: for later ones too */
  int32_t reserved;
} weft_abi_variant;

/* A kernel that CUDA variants of this target launch: the entry `name` of `kernels/<target>/<name>.ptx` in the artifact,
 * in blocks of `threads` × 1 × 1 threads with `shared_bytes` of dynamic shared memory. A kernel may come several times,
 * each time with the same numbers. */
typedef struct weft_abi_kernel {
  const char *name; /* letters, digits, _ and $ */
  const char *target;
  int32_t threads;
  int32_t shared_bytes;
  int32_t parameter_count; /* without the two scratch pointers at the end */
  int32_t scratch_bytes;   /* of global memory for each block of a launch, which the first of these points to */
} weft_abi_kernel;

/* A function of the model. Variants are sorted best first, for each device. */
typedef struct weft_abi_entry {
  const char *name;
  int32_t dim_count;
  int32_t input_count;
  int32_t output_count;
  int32_t variant_count;
  const weft_abi_dim *dims;
  const weft_abi_tensor *inputs;
  const weft_abi_tensor *outputs;
  const weft_abi_variant *variants;
  const int32_t *states; /* positions in weft_abi_model.states, each once */
  int32_t state_count;
  int32_t reserved;
} weft_abi_entry;

/* What a session keeps from call to call: zeros at first, then what the last call that uses it left. A dimension that
 * no entry finds in its inputs has the largest extent that the session allows. */
typedef struct weft_abi_state {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *shape; /* >= 0: a fixed extent; < 0: weft_abi_model.state_dims[-(value + 1)] */
  int64_t index_limit;  /* > 0: integers whose every value must lie in [0, index_limit) before a call */
  const char *fills;    /* not null: integers that count the taken places of this dimension of an entry */
  const char *fills_by; /* how many a call takes, which must be free: this dimension's extent, 1 without it */
} weft_abi_state;

/* A weight as generated code reads it: a tensor of this name in weights.safetensors. */
typedef struct weft_abi_parameter {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const int64_t *shape;
} weft_abi_parameter;

typedef struct weft_abi_model {
  uint32_t magic;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char *compiler; /* "weft 0.1.0 (LLVM 22.1.8)" */
  const char *model;    /* "bert" */
  int32_t entry_count;
  int32_t parameter_count;
  const weft_abi_entry *entries;
  const weft_abi_parameter *parameters;
  const weft_abi_state *states;
  const char *const *state_dims; /* names; an entry that uses a state has each of its dimensions under this name */
  int32_t state_count;
  int32_t state_dim_count;
  const weft_abi_kernel *kernels; /* those of one target together; what launches them counts from the first of these */
  int32_t kernel_count;
  int32_t reserved;
} weft_abi_model;

#define WEFT_ABI_DESCRIPTOR_SYMBOL "weft_model_descriptor"

#ifdef __cplusplus
}
#endif
#endif /* WEFT_ABI_H */
