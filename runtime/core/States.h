// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a session keeps from call to call. A state's memory is there from the
// call (or the weft_session_set_state) that tells its extents on; until a reset
// the extents stay.
#ifndef WEFT_RUNTIME_CORE_STATES_H
#define WEFT_RUNTIME_CORE_STATES_H

#include "runtime/core/Session.h"

namespace weft::runtime {

/// For each of the model's state_dims the entry's dimension, where a state that
/// the entry uses has it; else -1.
void planStateDims(const weft_abi_model &code, const weft_abi_entry &entry, int32_t *stateDims);

/// Bytes of a state for these extents of the model's state_dims; kCountless on
/// overflow or where one is unknown.
uint64_t bytesOf(const weft_abi_state &state, const int64_t *extents);

/// Whether calls check its values, so that the host has to know them.
inline bool isChecked(const weft_abi_state &state) { return state.index_limit > 0 || state.fills; }

/// What messages call the memory of a state.
inline constexpr const char *kStateMemory = "memory that lives from call to call";

/// Takes these extents for the session's states from now on.
void holdExtents(weft_session &session, const int64_t *extents);

/// All states are zeros again, of extents that the next call tells.
void forgetStates(weft_session &session);

/// A dimension is another than what the session holds its states for.
weft_status failExtents(const Place &place, const char *dim, int64_t held, int64_t given);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_STATES_H
