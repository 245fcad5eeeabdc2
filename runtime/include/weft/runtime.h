/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Runs models that `weft compile` made.
 *
 *   weft_model *model;
 *   weft_session *session;
 *   weft_open("minilm.weft", NULL, &model);
 *   weft_session_new(model, NULL, &session);
 *   weft_run(session, "encode", inputs, 2, outputs, 1);
 *   weft_session_free(session);
 *   weft_close(model);
 *
 * Errors. A function that can fail returns a weft_status. On failure nothing
 * was changed: no object was made, no output was written. weft_last_error()
 * then says what went wrong, where, and what to do. Nothing aborts.
 *
 * Threads. A model is immutable: any number of threads may use it. Sessions
 * are independent of each other. One session runs one call at a time: a second
 * thread gets WEFT_ERROR_BUSY. Results do not depend on the number of threads.
 *
 * Ownership. The caller owns every buffer it passes; the runtime keeps none of
 * them after a call returned. Strings that the runtime returns live as long as
 * the model, unless said otherwise.
 *
 * Units. Sizes are in bytes, extents in elements; arrays are dense and
 * row-major. */
#ifndef WEFT_RUNTIME_H
#define WEFT_RUNTIME_H

#include "weft/abi.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEFT_API __attribute__((visibility("default")))
#else
#define WEFT_API
#endif

#define WEFT_MAX_RANK WEFT_ABI_MAX_RANK

/* The outcome of a call. `weft explain CODE` tells more about each code. */
typedef enum weft_status {
  WEFT_OK = 0,
  WEFT_ERROR_ARGUMENT = 1,       /* a null pointer, an unknown, missing or
                                    duplicate name, a bad option */
  WEFT_ERROR_SHAPE = 2,          /* element type, rank, extent or byte length */
  WEFT_ERROR_INDEX = 3,          /* an index lies outside its table */
  WEFT_ERROR_FILE = 4,           /* a file cannot be read */
  WEFT_ERROR_CORRUPT = 5,        /* truncated, changed or malformed artifact */
  WEFT_ERROR_INCOMPATIBLE = 6,   /* another ABI, a CPU without a feature, or a
                                    driver that does not know the PTX */
  WEFT_ERROR_MEMORY = 7,         /* out of memory; trying again may work */
  WEFT_ERROR_BUSY = 8,           /* another thread runs this session */
  WEFT_ERROR_MODEL = 9,          /* the model's code broke its contract */
  WEFT_ERROR_DEVICE = 10,        /* no CUDA driver or no GPU that can run it, or
                                    one that fails */
  WEFT_ERROR_KERNEL = 11,        /* the CUDA driver does not take or does not
                                    start a kernel */
  WEFT_ERROR_DEVICE_LOST = 12,   /* the GPU takes no more work from this process:
                                    models and sessions can only be freed */
  WEFT_STATUS_WIDTH = 0x7fffffff /* no status: keeps the type as wide as int */
} weft_status;

/* "WEFT_ERROR_SHAPE"; "WEFT_ERROR_UNKNOWN" for a number that is no status.
 * Static. */
WEFT_API const char *weft_status_name(weft_status status);

/* The last error of the calling thread, as
 *   error[W0416]: what went wrong
 *     --> where
 *   help: what to do
 * or "" when no call of this thread has failed. Valid until the thread's next
 * failing call. */
WEFT_API const char *weft_last_error(void);

/* The same in parts; the strings are never null and live as long. */
typedef struct weft_error {
  weft_status status;
  const char *code; /* "W0416" */
  const char *message;
  const char *place;
  const char *help;
} weft_error;
WEFT_API void weft_last_error_parts(weft_error *error);

/* "0.1.0". Static. */
WEFT_API const char *weft_version(void);

/* "f32"; "unknown" for a number that is no element type. Static. */
WEFT_API const char *weft_dtype_name(int32_t dtype);
/* Bytes of an element; 0 for a number that is no element type. */
WEFT_API size_t weft_dtype_size(int32_t dtype);

/* ---- Models ---- */

typedef struct weft_model weft_model;

/* The digest of weights.safetensors is not computed: for weights of many
 * gigabytes on a medium that is trusted. Length and header are checked. */
#define WEFT_OPEN_TRUST_WEIGHTS (UINT64_C(1) << 0)

/* The model is only described: no device is taken, code that this machine
 * cannot run is no error, and there are no sessions. */
#define WEFT_OPEN_DESCRIBE (UINT64_C(1) << 1)

typedef struct weft_open_options {
  size_t size; /* sizeof(weft_open_options) */
  uint64_t flags;
  /* Of a model with mixtures of experts: how many experts of each layer stay in
   * memory, those that were chosen last; 0: as many as the system keeps. What
   * is chosen beyond them is read from the file and given back when its
   * products are done. Values do not depend on it. The digest reads all
   * weights once: WEFT_OPEN_TRUST_WEIGHTS spares that. Weights of
   * weft_open_linked have no file and stay; choices are counted. */
  int64_t experts_resident;
  /* Where the model's calls run. Null or "auto": on the first GPU that every
   * entry has code for, and on the CPU where there is no such GPU or no such
   * code. "cpu": on the CPU. "cuda": on a GPU, or it is an error; "cuda:1": on
   * that one. On a GPU the weights are copied to its memory and the kernels
   * are handed to the driver when the model is opened; buffers of calls are in
   * the host's memory all the same. weft_open_linked has no kernels and takes
   * the CPU. */
  const char *device;
} weft_open_options;

/* Opens the artifact directory at `path`. Every file that its manifest lists
 * is checked against its length and digest, model.so before it is loaded. The
 * files may be deleted or replaced by rename while the model is open, but must
 * not be written in place. `options` may be null. */
WEFT_API weft_status weft_open(const char *path, const weft_open_options *options, weft_model **model);

/* Makes a model of a descriptor that is in memory already (linked in, or made
 * by the JIT). `parameters` holds one pointer for each descriptor->parameters,
 * each aligned to 64 bytes; it may be null when there are none. The descriptor
 * and what parameters point to must outlive the model; the array itself is
 * copied. `options` may be null. */
WEFT_API weft_status weft_open_linked(const weft_abi_model *descriptor, const void *const *parameters,
                                      const weft_open_options *options, weft_model **model);

/* Gives up the model. It lives on while sessions use it. Null is ignored. */
WEFT_API void weft_close(weft_model *model);

/* What the layers of experts have chosen since a model was opened, in all of
 * its sessions. An expert counts once for each of its matrices, in each step. */
typedef struct weft_experts_info {
  uint64_t hits;       /* chosen and held */
  uint64_t misses;     /* chosen and fetched from the file */
  uint64_t evictions;  /* given back */
  uint64_t prefetches; /* asked for again ahead of their layer, as the last step chose them */
} weft_experts_info;

/* All zeros without weft_open_options.experts_resident, and for a model that
 * has no experts. */
WEFT_API weft_status weft_model_experts(weft_model *model, weft_experts_info *info);

/* ---- GPUs ---- */

typedef struct weft_device_info {
  char name[96];           /* "NVIDIA H200" */
  char device[16];         /* "cuda:0", for weft_open_options.device */
  int32_t architecture;    /* 90 is compute capability 9.0 */
  int32_t multiprocessors; /* their number */
  uint64_t memory_bytes;
} weft_device_info;

/* How many GPUs the CUDA driver shows, and the version of CUDA that it is for
 * (12040: 12.4); `driver_version` may be null. The driver is libcuda.so.1, or
 * the library that the environment variable WEFT_LIBCUDA names. Where there is
 * none, WEFT_ERROR_DEVICE: weft_last_error() says what is missing. */
WEFT_API weft_status weft_device_count(size_t *count, int32_t *driver_version);
WEFT_API weft_status weft_device_describe(size_t index, weft_device_info *info);

/* ---- What a model is ---- */

/* Where its calls run: "cpu", "cuda:0". */
WEFT_API const char *weft_model_device(const weft_model *model);
WEFT_API const char *weft_model_name(const weft_model *model);
WEFT_API const char *weft_model_compiler(const weft_model *model);
WEFT_API size_t weft_model_entry_count(const weft_model *model);

typedef struct weft_entry_info {
  const char *name;
  const char *variant; /* best code variant that this CPU, or the model's GPU, can run; null: none */
  size_t dim_count;
  size_t input_count;
  size_t output_count;
  size_t state_count; /* states that it reads or changes */
} weft_entry_info;

/* Describes the entry with this index. */
WEFT_API weft_status weft_model_entry(const weft_model *model, size_t index, weft_entry_info *info);

/* A named dimension with its inclusive bounds. */
typedef struct weft_dim_info {
  const char *name;
  int64_t min;
  int64_t max;
} weft_dim_info;

typedef struct weft_tensor_info {
  const char *name;
  int32_t dtype;
  int32_t rank;
  int64_t shape[WEFT_MAX_RANK];         /* -1 where the extent is a dimension */
  const char *dim_names[WEFT_MAX_RANK]; /* null where the extent is fixed */
  int64_t index_limit;                  /* > 0: every value must lie in [0, index_limit) */
  int32_t optional;                     /* 1: may be absent; then all are default_value */
  int64_t default_value;
} weft_tensor_info;

/* Describe one dimension, input or output. `entry` is an entry's name; null
 * means the first entry, here and below. */
WEFT_API weft_status weft_model_dim(const weft_model *model, const char *entry, size_t index, weft_dim_info *info);
WEFT_API weft_status weft_model_input(const weft_model *model, const char *entry, size_t index, weft_tensor_info *info);
WEFT_API weft_status weft_model_output(const weft_model *model, const char *entry, size_t index,
                                       weft_tensor_info *info);

/* What a session keeps from call to call: the states of the model, which are
 * neither inputs nor outputs of an entry. The second tells those that an entry
 * uses, of which weft_entry_info has the number. */
WEFT_API size_t weft_model_state_count(const weft_model *model);
WEFT_API weft_status weft_model_state(const weft_model *model, size_t index, weft_tensor_info *info);
WEFT_API weft_status weft_model_entry_state(const weft_model *model, const char *entry, size_t index,
                                            weft_tensor_info *info);

/* ---- Sessions ---- */

typedef struct weft_session weft_session;

/* Lowers a dimension's largest extent, so that a session reserves less memory
 * and refuses larger calls. */
typedef struct weft_dim_limit {
  const char *name;
  int64_t max;
} weft_dim_limit;

/* Threads of the embedding program (an example: runtime/demo/own_threads.c).
 * parallel_for calls
 * task(task_context, i) once for each i in [0, count), on any threads, at most
 * `concurrency` at a time, and returns when all have returned. */
typedef struct weft_executor {
  void *context;
  int32_t concurrency; /* >= 1 */
  void (*parallel_for)(void *context, void (*task)(void *task_context, int64_t index), void *task_context,
                       int64_t count);
} weft_executor;

typedef struct weft_session_options {
  size_t size; /* sizeof(weft_session_options) */
  /* Threads that work on a call, the caller's included. 0: the environment
   * variable WEFT_NUM_THREADS, and without it all cores that the process may
   * use. Fewer are used where the system gives no more, and while calls of
   * other sessions run and want more threads than there are cores. */
  int32_t threads;
  /* The code variant for every entry, e.g. "portable"; null: the best. */
  const char *variant;
  const weft_dim_limit *dim_limits;
  size_t dim_limit_count;
  /* Replaces the session's own threads; null: none. What it points to is
   * copied, but not its context. */
  const weft_executor *executor;
} weft_session_options;

/* Makes a session: its threads, and address space for the largest call that
 * the dimensions allow, a gigabyte at most (memory is taken when a call first
 * touches it). After that, weft_run asks the system for nothing, except when a
 * call needs more than that and than all calls before: then its address space
 * grows. `options` may be null. */
WEFT_API weft_status weft_session_new(weft_model *model, const weft_session_options *options, weft_session **session);

/* Waits for nothing: no call may be running. Null is ignored. */
WEFT_API void weft_session_free(weft_session *session);

/* Forgets all that lives from call to call, and gives the memory that calls
 * have touched back to the system (that of a GPU stays the session's).
 *
 * What lives from call to call are the states of the model: the memory of a
 * recurrence, a cache. They are zeros at first and after this. Their extents
 * (the batch) are those of the first call that uses them; until the next reset
 * a call with others gives WEFT_ERROR_SHAPE. A call that fails before it runs
 * leaves them as they were. Entries that name the same state share it. */
WEFT_API weft_status weft_session_reset(weft_session *session);

typedef struct weft_session_info {
  int32_t threads;         /* that work on a call, the caller's included; 1 on a GPU */
  uint64_t arena_bytes;    /* scratch for the largest call; UINT64_MAX: more than can be counted */
  uint64_t reserved_bytes; /* address space as yet: scratch, defaults, dropped outputs, states; and memory of a GPU */
  uint64_t state_bytes;    /* of the states whose extents are known by now */
} weft_session_info;
WEFT_API weft_status weft_session_describe(const weft_session *session, weft_session_info *info);

/* The code variant that an entry uses in this session; null when there is no
 * such entry. */
WEFT_API const char *weft_session_variant(const weft_session *session, const char *entry);

/* ---- Calls ---- */

/* A named array in the caller's memory.
 * Input: all fields are read; `bytes` is exactly the array's size; `data` is
 * aligned to its element. It is not written, const or not.
 * Output: `name`, `data`, `bytes` (the buffer's size, may be larger than
 * needed) and `dtype` are read; the run writes `rank` and `shape`. */
typedef struct weft_tensor {
  const char *name;
  void *data;
  uint64_t bytes;
  int32_t dtype;
  int32_t rank;
  int64_t shape[WEFT_MAX_RANK];
} weft_tensor;

/* Runs an entry. Inputs come in any order; optional ones may be absent.
 * Outputs that are not asked for are dropped. Buffers must not overlap an
 * output. Every extent, byte length and index is checked before any store. */
WEFT_API weft_status weft_run(weft_session *session, const char *entry, const weft_tensor *inputs, size_t input_count,
                              weft_tensor *outputs, size_t output_count);

/* Fills dtype, rank, shape and bytes of `output` (whose name is set) for
 * inputs of these shapes. Reads no data: pointers and byte lengths of the
 * inputs do not matter. */
WEFT_API weft_status weft_output_shape(weft_session *session, const char *entry, const weft_tensor *inputs,
                                       size_t input_count, weft_tensor *output);

/* ---- States ---- */

/* Read and set what a session keeps from call to call: to store a conversation
 * and go on with it later, to fork a session, to begin from a prepared context.
 * Not while a call of the session runs (WEFT_ERROR_BUSY).
 *
 * A state has extents from the first call that uses it, or from being set;
 * before that, and after a reset, reading it is WEFT_ERROR_SHAPE. */

/* Fills dtype, rank, shape and bytes of `state` (whose name is set). */
WEFT_API weft_status weft_session_state_shape(weft_session *session, weft_tensor *state);

/* Copies a state into the caller's buffer: `name`, `data`, `bytes` (may be
 * larger than needed) and `dtype` are read, `rank` and `shape` are written. */
WEFT_API weft_status weft_session_get_state(weft_session *session, weft_tensor *state);

/* Copies the caller's array into a state; all fields are read as for an input
 * of weft_run. After a reset the array's extents become the session's; else
 * they must be those that the session holds. On failure nothing changes. */
WEFT_API weft_status weft_session_set_state(weft_session *session, const weft_tensor *state);

#ifdef __cplusplus
}
#endif
#endif /* WEFT_RUNTIME_H */
