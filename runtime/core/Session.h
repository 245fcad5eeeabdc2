// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session: everything that calls need, made once. Its memory is one
// reservation of address space:
//
//   arena | defaults of entry 0 | … of entry n | outputs nobody asked for
//
// Each part is for the largest call that the session's dimensions allow; the
// system gives a page when it is first touched.
#ifndef WEFT_RUNTIME_CORE_SESSION_H
#define WEFT_RUNTIME_CORE_SESSION_H

#include "runtime/core/Model.h"
#include "runtime/cpu/Executor.h"

namespace weft::runtime {

/// Elements of an absent optional input: written up to what calls needed yet.
struct DefaultValues {
  uint64_t offset;   // in the session's memory
  uint64_t prepared; // elements that hold the default
};

/// What a session decided for an entry.
struct EntryPlan {
  const weft_abi_entry *entry;
  const weft_abi_variant *variant;
  const int64_t *maxDims;  // the model's bounds, narrowed
  DefaultValues *defaults; // for each input
  uint64_t *dropped;       // for each output: its offset when not asked for
};

/// Room for one call, as large as the largest entry asks for.
struct CallSpace {
  Array<int64_t> dims;
  Array<int32_t> dimSource;              // the input that set a dimension, or -1
  Array<const weft_tensor *> inputGiven; // null: absent
  Array<weft_tensor *> outputGiven;
  Array<const void *> inputs;
  Array<void *> outputs;
};

/// Elements of a tensor for these dimensions; false on overflow.
bool elementsOf(const weft_abi_tensor &tensor, const int64_t *dims, uint64_t &elements);

/// The plan of an entry by name; null, with the error recorded, when there is
/// none.
EntryPlan *findPlan(weft_session &session, const char *entry);

} // namespace weft::runtime

struct weft_session {
  ~weft_session();

  weft_model *model = nullptr;
  weft::runtime::Executor executor;
  weft::runtime::Array<weft::runtime::EntryPlan> plans;
  weft::runtime::Array<int64_t> maxDims;
  weft::runtime::Array<weft::runtime::DefaultValues> defaults;
  weft::runtime::Array<uint64_t> dropped;
  weft::runtime::CallSpace call;
  char *memory = nullptr;
  uint64_t memoryBytes = 0;
  uint64_t arenaBytes = 0;
  std::atomic<bool> running{false};
};

#endif // WEFT_RUNTIME_CORE_SESSION_H
