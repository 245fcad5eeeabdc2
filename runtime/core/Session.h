// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session: everything that calls need. Its memory is address space, of which
// the system gives a page when it is first touched:
//
//   scratch:  arena | outputs nobody asked for
//   defaults: the elements of one absent input
//   state:    what one state holds from call to call
//
// What the largest call needs is reserved at once where that is little. Larger
// calls, which dimensions without bounds allow, make it grow before they run;
// a call that is no larger than one before asks the system for nothing.
#ifndef WEFT_RUNTIME_CORE_SESSION_H
#define WEFT_RUNTIME_CORE_SESSION_H

#include "runtime/core/Model.h"
#include "runtime/core/Reservation.h"
#include "runtime/cpu/Executor.h"

namespace weft::runtime {

/// Elements of an absent optional input: written up to what calls needed yet.
struct DefaultValues {
  Reservation memory;
  uint64_t prepared; // elements that hold the default
};

/// What a session decided for an entry.
struct EntryPlan {
  const weft_abi_entry *entry;
  const weft_abi_variant *variant;
  const int64_t *maxDims;   // the model's bounds, narrowed
  DefaultValues *defaults;  // for each input
  const int32_t *stateDims; // for each dimension of the model's states the entry's, or -1: its states lack it
  bool sizesFit;            // the bytes of every tensor can be counted, whatever the call
  int32_t firstKernel;      // of the model's, those that the variant launches
  int32_t kernelCount;
};

/// What the arena and the dropped outputs start at a multiple of: a cache line.
inline constexpr uint64_t kScratchAlignment = 64; // bytes

/// A size that no memory has: what cannot be counted.
inline constexpr uint64_t kCountless = UINT64_MAX;

/// `end` after so many bytes more, aligned; kCountless on overflow.
uint64_t scratchEnd(uint64_t end, uint64_t bytes);

/// Room for one call, as large as the largest entry asks for.
struct CallSpace {
  Array<int64_t> dims;
  Array<int32_t> dimSource;              // the input that set a dimension, or -1
  Array<const weft_tensor *> inputGiven; // null: absent
  Array<weft_tensor *> outputGiven;
  Array<const void *> inputs;
  Array<void *> outputs;
  Array<void *> states;
};

/// No call has told the extent yet.
inline constexpr int64_t kUnknownExtent = -1;

/// Bytes of a tensor for these dimensions; kCountless on overflow.
uint64_t bytesOf(const weft_abi_tensor &tensor, const int64_t *dims);

/// Bytes of the arena for these dimensions; kCountless where the code says that
/// they cannot be counted.
uint64_t arenaBytesOf(const weft_abi_variant &variant, const int64_t *dims);

/// Grows `memory` where it is shorter than `bytes`, or says for what and where there is not enough.
weft_status growMemory(weft_session &session, Reservation &memory, uint64_t bytes, const char *what,
                       const Place &place);

/// The plan of an entry by name; null, with the error recorded, when there is
/// none.
EntryPlan *findPlan(weft_session &session, const char *entry);

} // namespace weft::runtime

namespace weft::runtime::cuda {
class DeviceSession;
} // namespace weft::runtime::cuda

struct weft_session {
  ~weft_session();

  weft_model *model = nullptr;
  weft::runtime::Executor executor;
  weft::runtime::Array<weft::runtime::EntryPlan> plans;
  weft::runtime::Array<int64_t> maxDims;
  weft::runtime::Array<weft::runtime::DefaultValues> defaults;
  size_t inputCount = 0; // of all entries
  weft::runtime::CallSpace call;
  weft::runtime::Reservation scratch = {};
  // Of the model. On a GPU those alone whose values are checked before a call, as they were after the last one.
  weft::runtime::Array<weft::runtime::Reservation> states;
  weft::runtime::cuda::DeviceSession *device = nullptr; // null: the CPU runs it
  weft::runtime::Array<int64_t> stateExtents;           // of the model's state_dims; kUnknownExtent
  weft::runtime::Array<int64_t> newExtents;             // as a call would have them
  weft::runtime::Array<int32_t> stateDims;              // of the plans
  uint64_t arenaBytes = 0;                              // of the largest call; kCountless
  uint64_t memoryLimit = 0;                             // no call may need more
  std::atomic<uint64_t> reservedBytes{0};
  std::atomic<uint64_t> stateBytes{0}; // of the states whose extents are known
  std::atomic<bool> running{false};
};

namespace weft::runtime {

/// Keeps a session for one call; false when another thread has it.
class Turn {
public:
  explicit Turn(weft_session &session)
      : session(session), taken(!session.running.exchange(true, std::memory_order_acquire)) {}
  Turn(const Turn &) = delete;
  Turn &operator=(const Turn &) = delete;
  ~Turn() {
    if (taken)
      session.running.store(false, std::memory_order_release);
  }
  explicit operator bool() const { return taken; }

private:
  weft_session &session;
  bool taken;
};

/// Whether the session's GPU, where it has one, still takes work.
weft_status checkDevice(const weft_session &session, const char *function);

/// It was not this thread's turn.
weft_status failBusy(const char *function);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_SESSION_H
