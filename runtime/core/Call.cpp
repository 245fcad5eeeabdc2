// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Call.h"

#include "runtime/core/Descriptor.h"
#include "runtime/core/ElementType.h"
#include "runtime/core/IndexScan.h"
#include "runtime/core/States.h"
#include "runtime/cpu/CoreShare.h"
#include "runtime/cpu/FloatMode.h"

#include <cstdio>
#include <cstring>

namespace weft::runtime {

/// The position of a tensor of this name, or -1.
static int32_t find(const weft_abi_tensor *tensors, int32_t count, const char *name) {
  for (int32_t i = 0; i < count; ++i)
    if (strcmp(tensors[i].name, name) == 0)
      return i;
  return -1;
}

namespace {
/// "input_ids, attention_mask", as many as there is room for.
struct NameList {
  NameList(const weft_abi_tensor *tensors, int32_t count) {
    size_t used = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < count && used < sizeof(text); ++i)
      used += size_t(snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "", tensors[i].name));
  }
  char text[256];
};
} // namespace

weft_status Call::bindInputs(const weft_tensor *inputs, size_t count) {
  static const char *const kHelp = "pass each input of the entry once; weft_model_input lists them";
  for (int32_t i = 0; i < entry.input_count; ++i)
    space.inputGiven[i] = nullptr;
  for (size_t i = 0; i < count; ++i) {
    const char *name = inputs[i].name ? inputs[i].name : "";
    int32_t slot = find(entry.inputs, entry.input_count, name);
    if (slot < 0)
      return fail(kTensorName, placeOf("input", name), kHelp, "the entry has no such input; it has %s",
                  NameList(entry.inputs, entry.input_count).text);
    if (space.inputGiven[slot])
      return fail(kTensorName, placeOf("input", name), kHelp, "the input is given twice");
    space.inputGiven[slot] = &inputs[i];
  }
  for (int32_t d = 0; d < entry.dim_count; ++d)
    space.dimSource[d] = -1;
  for (int32_t i = 0; i < entry.input_count; ++i) {
    if (!space.inputGiven[i] && !entry.inputs[i].optional)
      return fail(kTensorName, placeOf("input", entry.inputs[i].name), kHelp, "the input is missing");
    if (space.inputGiven[i])
      if (weft_status status = resolveDims(i))
        return status;
  }
  resolveStateDims();
  if (weft_status status = checkBounds())
    return status;
  return plan.sizesFit ? WEFT_OK : checkSizes();
}

weft_status Call::checkType(const weft_abi_tensor &want, const weft_tensor &given) const {
  if (given.dtype != want.dtype)
    return fail(kTensorType, placeOf("tensor", want.name), "convert the array to the element type that the model wants",
                "the array's element type is %s, the model wants %s", weft_dtype_name(given.dtype),
                weft_dtype_name(want.dtype));
  return WEFT_OK;
}

weft_status Call::resolveDims(int32_t input) {
  const weft_abi_tensor &want = entry.inputs[input];
  const weft_tensor &given = *space.inputGiven[input];
  if (weft_status status = checkType(want, given))
    return status;
  if (given.rank != want.rank)
    return fail(kTensorType, placeOf("input", want.name), "pass an array with the dimensions that the model wants",
                "the array has %d dimensions, the model wants %d", given.rank, want.rank);
  for (int32_t axis = 0; axis < want.rank; ++axis) {
    int64_t extent = given.shape[axis];
    int32_t dim = dimOf(want.shape[axis]);
    if (dim < 0 && extent != want.shape[axis])
      return fail(kTensorType, placeOf("input", want.name), "pass an array with the extents that the model wants",
                  "extent %d of %s is %lld, the model wants %lld", axis, ShapeText(given.shape, given.rank).text,
                  static_cast<long long>(extent), static_cast<long long>(want.shape[axis]));
    if (dim < 0)
      continue;
    if (space.dimSource[dim] < 0) {
      space.dimSource[dim] = input;
      space.dims[dim] = extent;
    } else if (space.dims[dim] != extent) {
      return fail(kDimsDisagree, placeOf("input", want.name), "give all inputs the same extent for a dimension",
                  "dimension '%s' is %lld here and %lld in input '%s'", entry.dims[dim].name,
                  static_cast<long long>(extent), static_cast<long long>(space.dims[dim]),
                  entry.inputs[space.dimSource[dim]].name);
    }
  }
  return WEFT_OK;
}

/// What only states have is as the session holds them, at first as large as it may be.
void Call::resolveStateDims() {
  for (int32_t k = 0; k < session.model->descriptor->state_dim_count; ++k) {
    int32_t d = plan.stateDims[k];
    if (d >= 0 && space.dimSource[d] < 0)
      space.dims[d] = session.stateExtents[k] == kUnknownExtent ? plan.maxDims[d] : session.stateExtents[k];
  }
}

weft_status Call::checkBounds() const {
  for (int32_t d = 0; d < entry.dim_count; ++d) {
    const weft_abi_dim &dim = entry.dims[d];
    int64_t extent = space.dims[d];
    if (extent >= dim.min && extent <= plan.maxDims[d])
      continue;
    Place place = space.dimSource[d] < 0 ? Place("entry \"%s\"", entry.name)
                                         : placeOf("input", entry.inputs[space.dimSource[d]].name);
    bool narrowed = extent > plan.maxDims[d] && extent <= dim.max;
    return fail(kDimOutOfBounds, place,
                narrowed           ? "raise the session's dim_limits"
                : extent < dim.min ? "pass more data; nothing is computed for an empty array"
                                   : "pass less at a time (truncate or split), or compile "
                                     "with a larger --shape",
                "dimension '%s' is %lld, %s allows %lld to %lld", dim.name, static_cast<long long>(extent),
                narrowed ? "the session" : "the model", static_cast<long long>(dim.min),
                static_cast<long long>(plan.maxDims[d]));
  }
  return WEFT_OK;
}

/// After this, bytesOf cannot overflow.
weft_status Call::checkSizes() const {
  auto check = [this](const char *kind, const weft_abi_tensor &tensor) {
    return bytesOf(tensor) <= PTRDIFF_MAX
               ? WEFT_OK
               : fail(kOutOfMemory, placeOf(kind, tensor.name), "pass less at a time: split the call",
                      "for these inputs the array has more bytes than there are addresses");
  };
  for (int32_t i = 0; i < entry.input_count; ++i)
    if (weft_status status = check("input", entry.inputs[i]))
      return status;
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (weft_status status = check("output", entry.outputs[i]))
      return status;
  return WEFT_OK;
}

weft_status Call::checkBuffer(const weft_abi_tensor &want, const weft_tensor &given, bool mayBeLarger) const {
  const char *kind = mayBeLarger ? "output" : "input";
  uint64_t bytes = bytesOf(want);
  if (given.bytes < bytes || (!mayBeLarger && given.bytes != bytes))
    return fail(kBufferUnfit, placeOf(kind, want.name),
                mayBeLarger ? "weft_output_shape tells the size" : "set bytes to the size of the whole array",
                "the buffer has %llu bytes, the shape needs %llu", static_cast<unsigned long long>(given.bytes),
                static_cast<unsigned long long>(bytes));
  uintptr_t address = reinterpret_cast<uintptr_t>(given.data);
  if (bytes && (!given.data || address % elementType(want.dtype)->bytes != 0))
    return fail(kBufferUnfit, placeOf(kind, want.name), "pass a pointer to the first element of an array of this type",
                "the buffer is %s", given.data ? "not aligned to its elements" : "null");
  return WEFT_OK;
}

weft_status Call::checkIndices(const weft_abi_tensor &want, const weft_tensor &given) const {
  uint64_t elements = bytesOf(want) / elementType(want.dtype)->bytes;
  uint64_t at = findOutOfRange(want.dtype, given.data, elements, want.index_limit);
  if (at == elements)
    return WEFT_OK;
  int64_t position[WEFT_MAX_RANK];
  uint64_t rest = at;
  for (int32_t axis = want.rank; axis-- > 0;) {
    position[axis] = int64_t(rest % uint64_t(given.shape[axis]));
    rest /= uint64_t(given.shape[axis]);
  }
  return fail(kIndexOutOfRange, placeOf("input", want.name),
              "the model was trained with fewer entries: check that the "
              "tokenizer belongs to the model",
              "the value at %s is %lld, it must lie in [0, %lld)", ShapeText(position, want.rank).text,
              static_cast<long long>(valueAt(want.dtype, given.data, at)), static_cast<long long>(want.index_limit));
}

weft_status Call::checkData() const {
  for (int32_t i = 0; i < entry.input_count; ++i) {
    const weft_abi_tensor &want = entry.inputs[i];
    if (!space.inputGiven[i])
      continue;
    const weft_tensor &given = *space.inputGiven[i];
    if (weft_status status = checkBuffer(want, given, false))
      return status;
    if (want.index_limit > 0)
      if (weft_status status = checkIndices(want, given))
        return status;
  }
  return WEFT_OK;
}

weft_status Call::checkState(const weft_abi_state &state, const void *values) const {
  uint64_t elements = runtime::bytesOf(state, session.stateExtents.get()) / elementType(state.dtype)->bytes;
  uint64_t at = findOutOfRange(state.dtype, values, elements, state.index_limit);
  if (at == elements)
    return WEFT_OK;
  return fail(kIndexOutOfRange, placeOf("state", state.name),
              "reset the session (weft_session_reset), or set the state to a value in bounds",
              "element %llu of the state is %lld, it must lie in [0, %lld)", static_cast<unsigned long long>(at),
              static_cast<long long>(valueAt(state.dtype, values, at)), static_cast<long long>(state.index_limit));
}

/// The state counts places that are taken; it is zeros where `values` is null.
weft_status Call::checkRoom(const weft_abi_state &state, const void *values) const {
  int32_t fills = findDim(entry, state.fills), by = findDim(entry, state.fills_by);
  if (fills < 0)
    return WEFT_OK; // this entry takes none
  int64_t places = space.dims[fills], needed = by < 0 ? 1 : space.dims[by], most = places - needed;
  uint64_t elements =
      values ? runtime::bytesOf(state, session.stateExtents.get()) / elementType(state.dtype)->bytes : 0;
  uint64_t at = findOutOfRange(state.dtype, values, elements, most + 1);
  if (most >= 0 && at == elements)
    return WEFT_OK;
  return fail(kStateFull, placeOf("state", state.name),
              "begin a new text (weft_session_reset), or allow more: the session's dim_limits, or weft compile --shape",
              "%lld of %lld places of '%s' are taken, and the call needs %lld",
              static_cast<long long>(at == elements ? 0 : valueAt(state.dtype, values, at)),
              static_cast<long long>(places), state.fills, static_cast<long long>(needed));
}

weft_status Call::checkStates() const {
  const weft_abi_model &code = *session.model->descriptor;
  for (int32_t k = 0; k < code.state_dim_count; ++k) {
    int64_t held = session.stateExtents[k];
    if (plan.stateDims[k] >= 0 && held != kUnknownExtent && held != space.dims[plan.stateDims[k]])
      return failExtents(Place("entry \"%s\"", entry.name), code.state_dims[k], held, space.dims[plan.stateDims[k]]);
  }
  for (int32_t i = 0; i < entry.state_count; ++i) {
    const weft_abi_state &state = code.states[entry.states[i]];
    const Reservation &memory = session.states[entry.states[i]];
    // What no call has written is zero.
    bool isHeld = memory.begin && runtime::bytesOf(state, session.stateExtents.get()) <= memory.bytes;
    if (state.index_limit > 0 && isHeld)
      if (weft_status status = checkState(state, memory.begin))
        return status;
    if (state.fills)
      if (weft_status status = checkRoom(state, isHeld ? memory.begin : nullptr))
        return status;
  }
  return WEFT_OK;
}

static bool overlap(const void *a, uint64_t aBytes, const void *b, uint64_t bBytes) {
  uintptr_t first = reinterpret_cast<uintptr_t>(a);
  uintptr_t second = reinterpret_cast<uintptr_t>(b);
  return first < second ? second - first < aBytes && bBytes : first - second < bBytes && aBytes;
}

weft_status Call::checkOverlap(const weft_tensor &output) const {
  const char *with = nullptr;
  for (int32_t i = 0; i < entry.input_count; ++i)
    if (space.inputGiven[i] &&
        overlap(output.data, output.bytes, space.inputGiven[i]->data, space.inputGiven[i]->bytes))
      with = entry.inputs[i].name;
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (space.outputGiven[i] && space.outputGiven[i] != &output &&
        overlap(output.data, output.bytes, space.outputGiven[i]->data, space.outputGiven[i]->bytes))
      with = entry.outputs[i].name;
  if (!with)
    return WEFT_OK;
  return fail(kBufferUnfit, placeOf("output", output.name), "give each output memory of its own",
              "the buffer overlaps that of '%s'", with);
}

weft_status Call::bindOutputs(weft_tensor *outputs, size_t count) {
  static const char *const kHelp = "ask for outputs of the entry, each once; weft_model_output lists them";
  for (int32_t i = 0; i < entry.output_count; ++i)
    space.outputGiven[i] = nullptr;
  for (size_t i = 0; i < count; ++i) {
    const char *name = outputs[i].name ? outputs[i].name : "";
    int32_t slot = find(entry.outputs, entry.output_count, name);
    if (slot < 0)
      return fail(kTensorName, placeOf("output", name), kHelp, "the entry has no such output; it has %s",
                  NameList(entry.outputs, entry.output_count).text);
    if (space.outputGiven[slot])
      return fail(kTensorName, placeOf("output", name), kHelp, "the output is asked for twice");
    if (weft_status status = checkType(entry.outputs[slot], outputs[i]))
      return status;
    if (weft_status status = checkBuffer(entry.outputs[slot], outputs[i], true))
      return status;
    space.outputGiven[slot] = &outputs[i];
    if (weft_status status = checkOverlap(outputs[i]))
      return status;
  }
  return WEFT_OK;
}

weft_status Call::failModel(int32_t code) const {
  return fail(kModelFailed, Place("entry \"%s\"", entry.name),
              "this is a fault of the compiler: report it with the model", "the model's code gave up with code %d",
              code);
}

weft_status Call::run() {
  if (weft_status status = session.device ? runOnDevice() : runHere())
    return status;
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (space.outputGiven[i])
      writeShape(entry.outputs[i], *space.outputGiven[i]);
  return WEFT_OK;
}

weft_status Call::runHere() {
  uint64_t arena = arenaBytesOf(*plan.variant, space.dims.get());
  if (weft_status status = prepareInputs())
    return status;
  if (weft_status status = prepareScratch(arena))
    return status;
  if (weft_status status = prepareStates())
    return status;
  weft_abi_call call = {
      &kServices,       &session.executor,     space.inputs.get(), space.outputs.get(), session.model->parameters.get(),
      space.dims.get(), session.scratch.begin, int64_t(arena),     space.states.get()};
  DefaultFloatMode mode;
  CoreClaim claim(session.executor.embedder.parallel_for ? 0 : session.executor.concurrency);
  int32_t code = plan.variant->run(&call);
  if (session.executor.experts)
    session.executor.experts->callEnded();
  return code ? failModel(code) : WEFT_OK;
}

void Call::writeShape(const weft_abi_tensor &tensor, weft_tensor &given) const {
  given.rank = tensor.rank;
  for (int32_t axis = 0; axis < tensor.rank; ++axis) {
    int32_t dim = dimOf(tensor.shape[axis]);
    given.shape[axis] = dim < 0 ? tensor.shape[axis] : space.dims[dim];
  }
}

weft_status Call::describeOutput(weft_tensor &output) const {
  int32_t slot = find(entry.outputs, entry.output_count, output.name ? output.name : "");
  if (slot < 0)
    return fail(kTensorName, placeOf("output", output.name ? output.name : ""), "weft_model_output lists the outputs",
                "the entry has no such output; it has %s", NameList(entry.outputs, entry.output_count).text);
  output.dtype = entry.outputs[slot].dtype;
  output.bytes = bytesOf(entry.outputs[slot]);
  writeShape(entry.outputs[slot], output);
  return WEFT_OK;
}

static weft_status failNull(const char *function) {
  return fail(kBadArgument, Place("%s", function), "pass a session, and arrays for the counts that are not 0",
              "a pointer is null");
}

} // namespace weft::runtime

using namespace weft::runtime;

weft_status weft_run(weft_session *session, const char *entry, const weft_tensor *inputs, size_t input_count,
                     weft_tensor *outputs, size_t output_count) {
  if (!session || (input_count && !inputs) || (output_count && !outputs))
    return failNull("weft_run");
  Turn turn(*session);
  if (!turn)
    return failBusy("weft_run");
  if (weft_status status = checkDevice(*session, "weft_run"))
    return status;
  EntryPlan *plan = findPlan(*session, entry);
  if (!plan)
    return WEFT_ERROR_ARGUMENT;
  Call call(*session, *plan);
  if (weft_status status = call.bindInputs(inputs, input_count))
    return status;
  if (weft_status status = call.checkStates())
    return status;
  if (weft_status status = call.checkData())
    return status;
  if (weft_status status = call.bindOutputs(outputs, output_count))
    return status;
  return call.run();
}

weft_status weft_output_shape(weft_session *session, const char *entry, const weft_tensor *inputs, size_t input_count,
                              weft_tensor *output) {
  if (!session || (input_count && !inputs) || !output)
    return failNull("weft_output_shape");
  Turn turn(*session);
  if (!turn)
    return failBusy("weft_output_shape");
  EntryPlan *plan = findPlan(*session, entry);
  if (!plan)
    return WEFT_ERROR_ARGUMENT;
  Call call(*session, *plan);
  if (weft_status status = call.bindInputs(inputs, input_count))
    return status;
  return call.describeOutput(*output);
}
