// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One call on a GPU: all of its memory first, then on the session's stream the inputs, the kernels, the outputs, and
// the states whose values the next call checks; and one wait at the end.
#include "runtime/core/Call.h"
#include "runtime/core/States.h"
#include "runtime/cuda/DeviceSession.h"

namespace weft::runtime {

weft_status Call::runOnDevice() {
  cuda::DeviceSession &device = *session.device;
  Place place("entry \"%s\"", entry.name);
  cuda::CurrentContext current(device.device);
  if (current.result)
    return device.device.failed(current.result, "make its context current", place);
  weft_status status = enqueue(place);
  // Whatever happened: nothing reads or writes the caller's buffers any more when the call returns.
  weft_status ended = device.finish(place);
  return ended ? ended : status;
}

weft_status Call::enqueue(const Place &place) {
  cuda::DeviceSession &device = *session.device;
  uint64_t arena = arenaBytesOf(*plan.variant, space.dims.get());
  if (weft_status status = placeOnDevice(arena, place))
    return status;
  if (weft_status status = copyInputs(place))
    return status;
  if (weft_status status = prepareStates())
    return status;
  weft_abi_call call = {&cuda::kDeviceServices,
                        &device,
                        space.inputs.get(),
                        space.outputs.get(),
                        device.model.parameters.get(),
                        space.dims.get(),
                        device.scratch.at(0),
                        int64_t(arena),
                        space.states.get()};
  device.firstKernel = plan.firstKernel;
  device.kernelCount = plan.kernelCount;
  device.failure = WEFT_OK;
  int32_t code = plan.variant->run(&call);
  weft_status failure = device.failure ? device.failure : code ? failModel(code) : WEFT_OK;
  // Kernels that ran before a failure may have changed states.
  if (weft_status status = copyCheckedStates(place))
    return status;
  return failure ? failure : copyOutputs(place);
}

/// arena | inputs | outputs; absent inputs are held elsewhere.
weft_status Call::placeOnDevice(uint64_t arena, const Place &place) {
  cuda::DeviceBuffer &memory = session.device->scratch;
  auto layOut = [&](bool isSized) {
    uint64_t end = cuda::deviceEnd(0, arena);
    for (int32_t i = 0; i < entry.input_count; ++i)
      if (space.inputGiven[i]) {
        if (isSized)
          space.inputs[i] = memory.at(end);
        end = cuda::deviceEnd(end, bytesOf(entry.inputs[i]));
      }
    for (int32_t i = 0; i < entry.output_count; ++i) {
      if (isSized)
        space.outputs[i] = memory.at(end);
      end = cuda::deviceEnd(end, bytesOf(entry.outputs[i]));
    }
    return end;
  };
  uint64_t end = layOut(false);
  if (weft_status status = session.device->growScratch(end ? end : 1, place))
    return status;
  layOut(true);
  return WEFT_OK;
}

weft_status Call::copyInputs(const Place &place) {
  cuda::DeviceSession &device = *session.device;
  size_t before = size_t(plan.defaults - session.defaults.get()); // inputs of other entries
  for (int32_t i = 0; i < entry.input_count; ++i) {
    uint64_t bytes = bytesOf(entry.inputs[i]);
    if (space.inputGiven[i]) {
      auto *to = static_cast<char *>(const_cast<void *>(space.inputs[i]));
      if (weft_status status = device.copyToDevice(to, space.inputGiven[i]->data, bytes, "copy an input", place))
        return status;
      continue;
    }
    if (weft_status status = fillDefault(i))
      return status;
    size_t slot = before + size_t(i);
    if (weft_status status = device.copyDefault(slot, space.inputs[i], bytes, place))
      return status;
    space.inputs[i] = device.defaults[slot].memory.at(0);
  }
  return WEFT_OK;
}

weft_status Call::copyOutputs(const Place &place) {
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (space.outputGiven[i])
      if (weft_status status =
              session.device->copyToHost(space.outputGiven[i]->data, static_cast<char *>(space.outputs[i]),
                                         bytesOf(entry.outputs[i]), "copy an output", place))
        return status;
  return WEFT_OK;
}

weft_status Call::copyCheckedStates(const Place &place) {
  const weft_abi_model &code = *session.model->descriptor;
  for (int32_t i = 0; i < entry.state_count; ++i) {
    const weft_abi_state &state = code.states[entry.states[i]];
    if (!isChecked(state))
      continue;
    uint64_t bytes = runtime::bytesOf(state, session.stateExtents.get());
    if (weft_status status = session.device->copyToHost(
            session.states[entry.states[i]].begin, static_cast<char *>(space.states[i]), bytes, "copy a state", place))
      return status;
  }
  return WEFT_OK;
}

} // namespace weft::runtime
