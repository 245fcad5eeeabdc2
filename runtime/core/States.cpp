// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/States.h"

#include "runtime/core/Descriptor.h"
#include "runtime/core/ElementType.h"
#include "runtime/cuda/DeviceSession.h"

namespace weft::runtime {

void planStateDims(const weft_abi_model &code, const weft_abi_entry &entry, int32_t *stateDims) {
  for (int32_t d = 0; d < code.state_dim_count; ++d) {
    stateDims[d] = -1;
    for (int32_t i = 0; i < entry.state_count; ++i)
      if (usesDim(code, code.states[entry.states[i]], code.state_dims[d]))
        stateDims[d] = findDim(entry, code.state_dims[d]);
  }
}

uint64_t bytesOf(const weft_abi_state &state, const int64_t *extents) {
  uint64_t bytes = elementType(state.dtype)->bytes;
  for (int32_t axis = 0; axis < state.rank; ++axis) {
    int32_t dim = dimOf(state.shape[axis]);
    int64_t extent = dim < 0 ? state.shape[axis] : extents[dim];
    if (extent == kUnknownExtent || __builtin_mul_overflow(bytes, uint64_t(extent), &bytes))
      return kCountless;
  }
  return bytes;
}

void holdExtents(weft_session &session, const int64_t *extents) {
  const weft_abi_model &code = *session.model->descriptor;
  for (int32_t d = 0; d < code.state_dim_count; ++d)
    session.stateExtents[d] = extents[d];
  uint64_t total = 0;
  for (int32_t i = 0; i < code.state_count; ++i)
    if (uint64_t bytes = bytesOf(code.states[i], extents); bytes != kCountless)
      total += bytes;
  session.stateBytes.store(total, std::memory_order_relaxed);
}

void forgetStates(weft_session &session) {
  const weft_abi_model &code = *session.model->descriptor;
  for (int32_t i = 0; i < code.state_count; ++i)
    session.states[i].clear();
  if (session.device)
    session.device->forgetStates();
  for (int32_t d = 0; d < code.state_dim_count; ++d)
    session.newExtents[d] = kUnknownExtent;
  holdExtents(session, session.newExtents.get());
}

weft_status failExtents(const Place &place, const char *dim, int64_t held, int64_t given) {
  return fail(kStateExtents, place, "reset the session (weft_session_reset), or make another one",
              "this session holds state for %s %lld, here it is %lld", dim, static_cast<long long>(held),
              static_cast<long long>(given));
}

} // namespace weft::runtime
