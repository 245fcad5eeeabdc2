// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which experts of a mapped weight stay in memory. A layer's code says which it is about to read; of each weight the
// last N that were chosen are held, the others' pages are given back to the system. A weight is one matrix of each
// expert of one layer, and all of a layer's see the same choices: so N is the number of experts of a layer.
//
//   chosen(gate)  chosen(up)  chosen(down)  regions …  chosen(gate of the next layer) …
//
// More than N may be chosen at once, as by a prompt. They are all read, and what is above N goes when the regions that
// read them are over: with the next choice, or with the call.
//
// What the last step of a weight chose is asked for again some choices ahead, where the system has taken its pages and
// where choices repeat: else what is read for nothing takes the place of what is needed.
#ifndef WEFT_RUNTIME_CORE_RESIDENTEXPERTS_H
#define WEFT_RUNTIME_CORE_RESIDENTEXPERTS_H

#include "runtime/core/Memory.h"
#include "runtime/include/weft/runtime.h"

#include <pthread.h>

namespace weft::runtime {

/// How pages come and go; a test has its own.
struct PageCalls {
  /// Begins to read a range.
  void (*fetch)(const char *begin, size_t bytes);
  /// Gives back the whole pages inside a range.
  void (*drop)(const char *begin, size_t bytes);
  /// Whether the range seems to be in memory.
  bool (*isPresent)(const char *begin, size_t bytes);
};

/// The system's, for mappings of files: a dropped page is read from the file again.
extern const PageCalls kMappedPages;
/// None: for weights that have no file to come back from.
extern const PageCalls kKeptPages;

class ResidentExperts {
public:
  ResidentExperts() = default;
  ResidentExperts(const ResidentExperts &) = delete;
  ~ResidentExperts();

  /// Begins to count and to hold at most `limit` experts of each weight. False when memory is out.
  bool start(const weft_abi_model &code, const void *const *parameters, int64_t limit, const PageCalls &pages);
  bool isOn() const { return limit > 0; }

  /// Expert e of the weight, `bytes` of each, is read where offsets[e] < offsets[e + 1]. `readersDone`: a region has
  /// run since the choice before, so what that one needed has been read. What is no weight of the model is passed over.
  void chosen(const void *weight, int64_t bytes, const int32_t *offsets, int64_t count, bool readersDone);
  /// All that was chosen has been read.
  void callEnded();

  weft_experts_info info();

private:
  struct Weight {
    const char *begin;
    int64_t bytes;     // of all experts
    int64_t experts;   // the first extent
    uint64_t *lastUse; // [experts]: the step that chose it last; 0: not held
    uint64_t step;     // of the last choice; 0: none yet
    bool isSteady;     // most of the last choice was that of the one before
    int64_t held;
    Weight *following; // whose choice came next
    bool isCrowded;    // more are held than the limit
  };

  static int compare(const void *left, const void *right);
  Weight *find(const void *begin);
  void take(Weight &weight, const int32_t *offsets);
  void trim(Weight &weight, uint64_t keptStep);
  void trimCrowded();
  void fetchAhead(Weight &weight);
  const char *expertOf(const Weight &weight, int64_t expert) const;

  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  Array<Weight> weights; // by address
  Array<uint64_t> lastUses;
  size_t weightCount = 0;
  int64_t limit = 0;
  uint64_t steps = 0;
  bool isAnyCrowded = false;
  Weight *before = nullptr; // whose choice came last
  PageCalls pages = {};
  weft_experts_info counts = {};
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_RESIDENTEXPERTS_H
