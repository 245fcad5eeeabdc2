// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The memory of one call: scratch, values of absent inputs, outputs that nobody asked for. The session's reservations
// grow where this call needs more than all before.
#include "runtime/core/Call.h"
#include "runtime/core/ElementType.h"
#include "runtime/core/IndexScan.h"
#include "runtime/core/SizeText.h"
#include "runtime/core/States.h"
#include "runtime/cuda/DeviceSession.h"

namespace weft::runtime {

weft_status growMemory(weft_session &session, Reservation &memory, uint64_t bytes, const char *what,
                       const Place &place) {
  static const char *const kHelp = "pass less at a time: fewer rows of the batch, or shorter ones";
  if (bytes <= memory.bytes)
    return WEFT_OK;
  if (bytes > session.memoryLimit)
    return fail(kOutOfMemory, place, kHelp, "for these inputs the call needs %s of %s, the process may have %s",
                SizeText(bytes).text, what, SizeText(session.memoryLimit).text);
  uint64_t before = memory.bytes;
  if (!memory.grow(bytes))
    return fail(kOutOfMemory, place, kHelp, "the system refuses the %s of %s that this call needs",
                SizeText(bytes).text, what);
  session.reservedBytes += memory.bytes - before;
  return WEFT_OK;
}

weft_status Call::reserve(Reservation &memory, uint64_t bytes, const char *what) {
  // No call that fits pays for the text of an error.
  if (bytes <= memory.bytes)
    return WEFT_OK;
  return growMemory(session, memory, bytes, what, Place("entry \"%s\"", entry.name));
}

weft_status Call::fillDefault(int32_t input) {
  const weft_abi_tensor &want = entry.inputs[input];
  DefaultValues &values = plan.defaults[input];
  uint64_t bytes = bytesOf(want), elements = bytes / elementType(want.dtype)->bytes;
  if (weft_status status = reserve(values.memory, bytes, "memory for the values of an absent input"))
    return status;
  space.inputs[input] = values.memory.begin;
  // Fresh memory is zero already, and an array grows only once.
  if (want.default_value != 0 && elements > values.prepared) {
    fillWith(want.dtype, values.memory.begin, values.prepared, elements, want.default_value);
    values.prepared = elements;
  }
  return WEFT_OK;
}

weft_status Call::prepareInputs() {
  for (int32_t i = 0; i < entry.input_count; ++i)
    if (space.inputGiven[i])
      space.inputs[i] = space.inputGiven[i]->data;
    else if (weft_status status = fillDefault(i))
      return status;
  return WEFT_OK;
}

weft_status Call::prepareScratch(uint64_t arena) {
  uint64_t end = scratchEnd(0, arena);
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (!space.outputGiven[i])
      end = scratchEnd(end, bytesOf(entry.outputs[i]));
  if (weft_status status = reserve(session.scratch, end, "scratch memory"))
    return status;
  end = scratchEnd(0, arena);
  for (int32_t i = 0; i < entry.output_count; ++i) {
    space.outputs[i] = space.outputGiven[i] ? space.outputGiven[i]->data : session.scratch.begin + end;
    if (!space.outputGiven[i])
      end = scratchEnd(end, bytesOf(entry.outputs[i]));
  }
  return WEFT_OK;
}

weft_status Call::prepareState(int32_t i, uint64_t bytes) {
  int32_t state = entry.states[i];
  Reservation &memory = session.states[state];
  bool isOnHost = !session.device || isChecked(session.model->descriptor->states[state]);
  if (weft_status status = isOnHost ? reserve(memory, bytes, kStateMemory) : WEFT_OK)
    return status;
  space.states[i] = memory.begin;
  if (!session.device)
    return WEFT_OK;
  if (weft_status status = session.device->holdState(state, bytes, Place("entry \"%s\"", entry.name)))
    return status;
  space.states[i] = session.device->states[size_t(state)].memory.at(0);
  return WEFT_OK;
}

/// The last step that can fail: from here on the session holds states of this call's extents.
weft_status Call::prepareStates() {
  const weft_abi_model &code = *session.model->descriptor;
  int64_t *extents = session.newExtents.get();
  bool isNew = false;
  for (int32_t d = 0; d < code.state_dim_count; ++d) {
    extents[d] = plan.stateDims[d] < 0 ? session.stateExtents[d] : space.dims[plan.stateDims[d]];
    isNew |= extents[d] != session.stateExtents[d];
  }
  for (int32_t i = 0; i < entry.state_count; ++i) {
    uint64_t bytes = runtime::bytesOf(code.states[entry.states[i]], extents);
    if (weft_status status = prepareState(i, bytes ? bytes : 1))
      return status;
  }
  if (isNew)
    holdExtents(session, extents);
  return WEFT_OK;
}

} // namespace weft::runtime
