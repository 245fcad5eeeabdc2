// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One call of an entry: the caller's tensors bound to the entry's inputs and
// outputs, every extent, length and index checked before anything is written.
#ifndef WEFT_RUNTIME_CORE_CALL_H
#define WEFT_RUNTIME_CORE_CALL_H

#include "runtime/core/Session.h"

namespace weft::runtime {

class Call {
public:
  Call(weft_session &session, EntryPlan &plan)
      : session(session), plan(plan), entry(*plan.entry), space(session.call) {}

  /// Binds inputs by name and finds the dimensions from their extents.
  weft_status bindInputs(const weft_tensor *inputs, size_t count);
  /// Buffers of the inputs: lengths, alignment, indices.
  weft_status checkData() const;
  /// Binds outputs by name; checks their buffers against what is written.
  weft_status bindOutputs(weft_tensor *outputs, size_t count);
  /// The dimensions are those of the states that the session holds, whose values
  /// are in bounds.
  weft_status checkStates() const;
  /// Runs the variant, on the CPU or on the model's GPU, and tells the shapes of the outputs.
  weft_status run();

  /// Writes dtype, rank, shape and bytes of an output.
  weft_status describeOutput(weft_tensor &output) const;

private:
  weft_status checkType(const weft_abi_tensor &want, const weft_tensor &given) const;
  weft_status resolveDims(int32_t input);
  void resolveStateDims();
  weft_status checkBounds() const;
  weft_status checkSizes() const;
  weft_status checkBuffer(const weft_abi_tensor &want, const weft_tensor &given, bool mayBeLarger) const;
  weft_status checkIndices(const weft_abi_tensor &want, const weft_tensor &given) const;
  weft_status checkState(const weft_abi_state &state, const void *values) const;
  weft_status checkRoom(const weft_abi_state &state, const void *values) const;
  weft_status checkOverlap(const weft_tensor &output) const;
  weft_status reserve(Reservation &memory, uint64_t bytes, const char *what);
  weft_status fillDefault(int32_t input);
  weft_status prepareInputs();
  weft_status prepareScratch(uint64_t arena);
  weft_status prepareState(int32_t i, uint64_t bytes);
  weft_status prepareStates();
  weft_status runHere();
  weft_status runOnDevice();
  weft_status enqueue(const Place &place);
  weft_status placeOnDevice(uint64_t arena, const Place &place);
  weft_status copyInputs(const Place &place);
  weft_status copyOutputs(const Place &place);
  weft_status copyCheckedStates(const Place &place);
  weft_status failModel(int32_t code) const;
  uint64_t bytesOf(const weft_abi_tensor &tensor) const { return runtime::bytesOf(tensor, space.dims.get()); }
  void writeShape(const weft_abi_tensor &tensor, weft_tensor &given) const;
  Place placeOf(const char *kind, const char *name) const {
    return Place("entry \"%s\", %s \"%.100s\"", entry.name, kind, name);
  }

  weft_session &session;
  EntryPlan &plan;
  const weft_abi_entry &entry;
  CallSpace &space;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_CALL_H
