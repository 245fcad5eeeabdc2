// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The states of a session, read and set by name between calls.
#include "runtime/core/Descriptor.h"
#include "runtime/core/ElementType.h"
#include "runtime/core/IndexScan.h"
#include "runtime/core/States.h"
#include "runtime/cuda/DeviceSession.h"

#include <cstdio>
#include <cstring>

namespace weft::runtime {

namespace {
/// One state of a session, by the name that the caller gave.
class StateAccess {
public:
  StateAccess(const char *function, weft_session &session) : function(function), session(session) {}

  weft_status find(const char *name);
  /// Whether the caller's array is of the state's element type.
  weft_status checkType(const weft_tensor &given) const;
  /// Whether the caller's buffer holds so many bytes, or has room for them.
  weft_status checkBuffer(const weft_tensor &given, uint64_t bytes, bool mayBeLarger) const;
  /// The array's extents fit the state, what the session holds and the model's bounds; they are in newExtents then.
  weft_status takeExtents(const weft_tensor &given);
  weft_status checkValues(const weft_tensor &given, uint64_t bytes) const;
  /// The session knows how large the state is.
  weft_status checkKnown() const;

  weft_status read(void *to, uint64_t bytes) const;
  weft_status write(const void *from, uint64_t bytes) const;
  void writeShape(weft_tensor &given) const;
  uint64_t bytes() const { return bytesOf(state(), session.stateExtents.get()); }
  const weft_abi_state &state() const { return code().states[index]; }
  Place place() const { return Place("%s, state \"%.100s\"", function, state().name); }

  int32_t index = -1;

private:
  const weft_abi_model &code() const { return *session.model->descriptor; }
  weft_status takeExtent(int32_t dim, int64_t extent);

  const char *function;
  weft_session &session;
};
} // namespace

weft_status StateAccess::find(const char *name) {
  for (int32_t i = 0; i < code().state_count; ++i)
    if (name && strcmp(code().states[i].name, name) == 0) {
      index = i;
      return WEFT_OK;
    }
  return fail(kTensorName, Place("%s", function), "weft_model_state lists the states",
              "the model has no state '%.200s'; it has %d%s%.100s", name ? name : "", code().state_count,
              code().state_count ? ", the first is " : "", code().state_count ? code().states[0].name : "");
}

weft_status StateAccess::checkType(const weft_tensor &given) const {
  if (given.dtype == state().dtype)
    return WEFT_OK;
  return fail(kTensorType, place(), "give an array of the state's element type",
              "the array's element type is %s, the state's is %s", weft_dtype_name(given.dtype),
              weft_dtype_name(state().dtype));
}

weft_status StateAccess::checkBuffer(const weft_tensor &given, uint64_t bytes, bool mayBeLarger) const {
  if (given.bytes < bytes || (!mayBeLarger && given.bytes != bytes))
    return fail(kBufferUnfit, place(), "weft_session_state_shape tells the size once a call has run",
                "the buffer has %llu bytes, the state needs %llu", static_cast<unsigned long long>(given.bytes),
                static_cast<unsigned long long>(bytes));
  uintptr_t address = reinterpret_cast<uintptr_t>(given.data);
  if (bytes && (!given.data || address % elementType(state().dtype)->bytes != 0))
    return fail(kBufferUnfit, place(), "pass a pointer to the first element of an array of this type",
                "the buffer is %s", given.data ? "not aligned to its elements" : "null");
  return WEFT_OK;
}

weft_status StateAccess::takeExtents(const weft_tensor &given) {
  int64_t *extents = session.newExtents.get();
  for (int32_t d = 0; d < code().state_dim_count; ++d)
    extents[d] = session.stateExtents[d];
  if (given.rank != state().rank)
    return fail(kTensorType, place(), "give an array with the state's dimensions",
                "the array has %d dimensions, the state has %d", given.rank, state().rank);
  for (int32_t axis = 0; axis < given.rank; ++axis) {
    int64_t want = state().shape[axis], extent = given.shape[axis];
    if (dimOf(want) < 0 && extent != want)
      return fail(kTensorType, place(), "give an array with the state's extents",
                  "extent %d of %s is %lld, the state's is %lld", axis, ShapeText(given.shape, given.rank).text,
                  static_cast<long long>(extent), static_cast<long long>(want));
    if (dimOf(want) >= 0)
      if (weft_status status = takeExtent(dimOf(want), extent))
        return status;
  }
  return WEFT_OK;
}

weft_status StateAccess::takeExtent(int32_t dim, int64_t extent) {
  const char *name = code().state_dims[dim];
  int64_t &taken = session.newExtents[dim];
  if (taken != kUnknownExtent && taken != extent)
    return failExtents(place(), name, taken, extent);
  for (int32_t e = 0; e < code().entry_count; ++e) {
    const EntryPlan &plan = session.plans[e];
    int32_t d = plan.stateDims[dim];
    if (d < 0 || (extent >= plan.entry->dims[d].min && extent <= plan.maxDims[d]))
      continue;
    return fail(kDimOutOfBounds, place(), "set a state of extents that calls can have",
                "dimension '%s' is %lld, entry '%s' allows %lld to %lld", name, static_cast<long long>(extent),
                plan.entry->name, static_cast<long long>(plan.entry->dims[d].min),
                static_cast<long long>(plan.maxDims[d]));
  }
  taken = extent;
  return WEFT_OK;
}

weft_status StateAccess::checkValues(const weft_tensor &given, uint64_t bytes) const {
  if (state().index_limit <= 0)
    return WEFT_OK;
  uint64_t elements = bytes / elementType(state().dtype)->bytes;
  uint64_t at = findOutOfRange(state().dtype, given.data, elements, state().index_limit);
  if (at == elements)
    return WEFT_OK;
  return fail(kIndexOutOfRange, place(), "give values that the model can use as indices",
              "element %llu is %lld, it must lie in [0, %lld)", static_cast<unsigned long long>(at),
              static_cast<long long>(valueAt(state().dtype, given.data, at)),
              static_cast<long long>(state().index_limit));
}

weft_status StateAccess::checkKnown() const {
  if (bytes() != kCountless)
    return WEFT_OK;
  return fail(kStateExtents, place(), "run a call that uses the state first, or set the state",
              "the state has no extents yet: it takes those of the first call");
}

/// What neither a call nor the caller has touched is zeros, and need not be there.
weft_status StateAccess::read(void *to, uint64_t bytes) const {
  if (session.device)
    return session.device->readState(index, 0, to, bytes, place());
  const Reservation &memory = session.states[index];
  if (memory.begin && bytes <= memory.bytes)
    memcpy(to, memory.begin, bytes);
  else if (bytes)
    memset(to, 0, bytes);
  return WEFT_OK;
}

weft_status StateAccess::write(const void *from, uint64_t bytes) const {
  Reservation &memory = session.states[index];
  bool isOnHost = !session.device || isChecked(state());
  if (isOnHost)
    if (weft_status status = growMemory(session, memory, bytes ? bytes : 1, kStateMemory, place()))
      return status;
  if (session.device)
    if (weft_status status = session.device->writeState(index, 0, from, bytes, bytes, place()))
      return status;
  if (isOnHost && bytes)
    memcpy(memory.begin, from, bytes);
  return WEFT_OK;
}

void StateAccess::writeShape(weft_tensor &given) const {
  given.rank = state().rank;
  for (int32_t axis = 0; axis < given.rank; ++axis) {
    int64_t extent = state().shape[axis];
    given.shape[axis] = dimOf(extent) < 0 ? extent : session.stateExtents[dimOf(extent)];
  }
}

static weft_status failNull(const char *function) {
  return fail(kBadArgument, Place("%s", function), "pass a session and an array with a name",
              "session or state is null");
}

} // namespace weft::runtime

using namespace weft::runtime;

weft_status weft_session_state_shape(weft_session *session, weft_tensor *state) {
  static const char *const kFunction = "weft_session_state_shape";
  if (!session || !state)
    return failNull(kFunction);
  Turn turn(*session);
  if (!turn)
    return failBusy(kFunction);
  StateAccess access(kFunction, *session);
  if (weft_status status = access.find(state->name))
    return status;
  if (weft_status status = access.checkKnown())
    return status;
  state->dtype = access.state().dtype;
  state->bytes = access.bytes();
  access.writeShape(*state);
  return WEFT_OK;
}

weft_status weft_session_get_state(weft_session *session, weft_tensor *state) {
  static const char *const kFunction = "weft_session_get_state";
  if (!session || !state)
    return failNull(kFunction);
  Turn turn(*session);
  if (!turn)
    return failBusy(kFunction);
  if (weft_status status = checkDevice(*session, kFunction))
    return status;
  StateAccess access(kFunction, *session);
  if (weft_status status = access.find(state->name))
    return status;
  if (weft_status status = access.checkKnown())
    return status;
  if (weft_status status = access.checkType(*state))
    return status;
  uint64_t bytes = access.bytes();
  if (weft_status status = access.checkBuffer(*state, bytes, true))
    return status;
  if (weft_status status = access.read(state->data, bytes))
    return status;
  access.writeShape(*state);
  return WEFT_OK;
}

weft_status weft_session_set_state(weft_session *session, const weft_tensor *state) {
  static const char *const kFunction = "weft_session_set_state";
  if (!session || !state)
    return failNull(kFunction);
  Turn turn(*session);
  if (!turn)
    return failBusy(kFunction);
  if (weft_status status = checkDevice(*session, kFunction))
    return status;
  StateAccess access(kFunction, *session);
  if (weft_status status = access.find(state->name))
    return status;
  if (weft_status status = access.checkType(*state))
    return status;
  if (weft_status status = access.takeExtents(*state))
    return status;
  uint64_t bytes = bytesOf(access.state(), session->newExtents.get());
  if (weft_status status = access.checkBuffer(*state, bytes, false))
    return status;
  if (weft_status status = access.checkValues(*state, bytes))
    return status;
  if (weft_status status = access.write(state->data, bytes))
    return status;
  holdExtents(*session, session->newExtents.get());
  return WEFT_OK;
}
