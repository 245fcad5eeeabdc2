// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes sessions: options, narrowed dimensions, memory, threads.
#include "runtime/core/Session.h"

#include "runtime/core/Descriptor.h"
#include "runtime/core/ElementType.h"
#include "runtime/core/States.h"
#include "runtime/cpu/Allowance.h"
#include "runtime/cpu/CoreShare.h"
#include "runtime/cuda/DeviceSession.h"

#include <cstring>

using namespace weft::runtime;

weft_session::~weft_session() {
  Owned<cuda::DeviceSession>::destroy(device);
  scratch.release();
  for (size_t i = 0; i < inputCount; ++i)
    defaults[i].memory.release();
  for (int32_t i = 0; states && i < model->descriptor->state_count; ++i)
    states[i].release();
  if (model)
    release(model);
}

uint64_t weft::runtime::bytesOf(const weft_abi_tensor &tensor, const int64_t *dims) {
  uint64_t bytes = elementType(tensor.dtype)->bytes;
  for (int32_t axis = 0; axis < tensor.rank; ++axis) {
    int32_t dim = dimOf(tensor.shape[axis]);
    uint64_t extent = uint64_t(dim < 0 ? tensor.shape[axis] : dims[dim]);
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return kCountless;
  }
  return bytes;
}

uint64_t weft::runtime::arenaBytesOf(const weft_abi_variant &variant, const int64_t *dims) {
  int64_t bytes = variant.arena_bytes(dims);
  return bytes < 0 ? kCountless : uint64_t(bytes);
}

uint64_t weft::runtime::scratchEnd(uint64_t end, uint64_t bytes) {
  constexpr uint64_t kMask = kScratchAlignment - 1;
  if (__builtin_add_overflow(end, bytes, &end) || __builtin_add_overflow(end, kMask, &end))
    return kCountless;
  return end & ~kMask;
}

EntryPlan *weft::runtime::findPlan(weft_session &session, const char *entry) {
  const weft_abi_model &code = *session.model->descriptor;
  const weft_abi_entry *found = findEntry(code, entry);
  return found ? &session.plans[size_t(found - code.entries)] : nullptr;
}

weft_status weft::runtime::checkDevice(const weft_session &session, const char *function) {
  return session.device ? session.device->device.check(Place("%s", function)) : WEFT_OK;
}

weft_status weft::runtime::failBusy(const char *function) {
  return fail(kSessionBusy, Place("%s", function), "use a session for each thread; they share the model's weights",
              "another thread runs a call of this session");
}

static weft_status badOption(const char *what, const char *help) {
  return fail(kBadArgument, Place("weft_session_new"), help, "%s", what);
}

namespace {
/// The steps of weft_session_new, in order.
class SessionPlan {
public:
  SessionPlan(weft_session &session, const weft_session_options &options)
      : session(session), options(options), code(*session.model->descriptor) {}

  weft_status run();

private:
  weft_status checkOptions() const;
  weft_status checkLimit(const weft_dim_limit &limit) const;
  weft_status allocateTables();
  weft_status planEntry(size_t index);
  weft_status reserveStates();
  void measureEntry(EntryPlan &plan);
  void findKernels(EntryPlan &plan);
  weft_status reserve(Reservation &memory, uint64_t largest, const char *what);
  weft_status reserveDefaults(EntryPlan &plan);
  weft_status startThreads();
  weft_status startDevice();

  weft_session &session;
  const weft_session_options &options;
  const weft_abi_model &code;
  uint64_t largestScratch = 0;
};
} // namespace

weft_status SessionPlan::run() {
  if (weft_status status = checkOptions())
    return status;
  if (weft_status status = allocateTables())
    return status;
  for (size_t i = 0; i < size_t(code.entry_count); ++i)
    if (weft_status status = planEntry(i))
      return status;
  session.memoryLimit = memoryLimit();
  if (weft_status status = reserveStates())
    return status;
  if (session.model->device)
    return startDevice();
  if (weft_status status = reserve(session.scratch, largestScratch, "the session's scratch memory"))
    return status;
  return startThreads();
}

weft_status SessionPlan::checkOptions() const {
  if (options.threads < 0 || options.threads > kMaxThreads)
    return badOption("threads is not 0 to 1024", "0 asks for all cores that the process may use");
  if (options.dim_limit_count && !options.dim_limits)
    return badOption("dim_limits is null, dim_limit_count is not 0", "set both or none");
  for (size_t i = 0; i < options.dim_limit_count; ++i)
    if (weft_status status = checkLimit(options.dim_limits[i]))
      return status;
  if (options.executor && (!options.executor->parallel_for || options.executor->concurrency < 1))
    return badOption("executor lacks parallel_for or has no concurrency", "set both, or leave executor null");
  return WEFT_OK;
}

weft_status SessionPlan::checkLimit(const weft_dim_limit &limit) const {
  static const char *const kHelp = "weft_model_dim lists the dimensions with their bounds";
  if (!limit.name)
    return badOption("a dimension limit has no name", kHelp);
  bool known = false;
  for (int32_t e = 0; e < code.entry_count; ++e)
    for (int32_t d = 0; d < code.entries[e].dim_count; ++d) {
      const weft_abi_dim &dim = code.entries[e].dims[d];
      if (strcmp(dim.name, limit.name) != 0)
        continue;
      known = true;
      if (limit.max < dim.min || limit.max > dim.max)
        return fail(kDimOutOfBounds, Place("weft_session_new"), kHelp,
                    "the limit %lld of dimension '%s' is not within the "
                    "model's bounds %lld to %lld",
                    static_cast<long long>(limit.max), dim.name, static_cast<long long>(dim.min),
                    static_cast<long long>(dim.max));
    }
  if (!known)
    return fail(kBadArgument, Place("weft_session_new"), kHelp, "the model has no dimension '%.200s'", limit.name);
  return WEFT_OK;
}

weft_status SessionPlan::allocateTables() {
  size_t dims = 0, inputs = 0, outputs = 0;
  size_t mostDims = 0, mostInputs = 0, mostOutputs = 0;
  auto add = [](size_t &sum, size_t &most, int32_t count) {
    sum += size_t(count);
    most = most > size_t(count) ? most : size_t(count);
  };
  for (int32_t e = 0; e < code.entry_count; ++e) {
    add(dims, mostDims, code.entries[e].dim_count);
    add(inputs, mostInputs, code.entries[e].input_count);
    add(outputs, mostOutputs, code.entries[e].output_count);
  }
  session.plans = Array<EntryPlan>(size_t(code.entry_count));
  session.maxDims = Array<int64_t>(dims);
  session.defaults = Array<DefaultValues>(inputs);
  session.inputCount = session.defaults ? inputs : 0;
  size_t stateDims = size_t(code.state_dim_count);
  session.states = Array<Reservation>(size_t(code.state_count));
  session.stateExtents = Array<int64_t>(stateDims);
  session.newExtents = Array<int64_t>(stateDims);
  session.stateDims = Array<int32_t>(stateDims * size_t(code.entry_count));
  CallSpace &call = session.call;
  call.dims = Array<int64_t>(mostDims);
  call.dimSource = Array<int32_t>(mostDims);
  call.inputGiven = Array<const weft_tensor *>(mostInputs);
  call.outputGiven = Array<weft_tensor *>(mostOutputs);
  call.inputs = Array<const void *>(mostInputs);
  call.outputs = Array<void *>(mostOutputs);
  call.states = Array<void *>(size_t(code.state_count));
  if (session.plans && session.maxDims && session.defaults && call.dims && call.dimSource && call.inputGiven &&
      call.outputGiven && call.inputs && call.outputs && call.states && session.states && session.stateExtents &&
      session.newExtents && session.stateDims)
    return WEFT_OK;
  return failOutOfMemory("session tables", (dims + inputs) * sizeof(DefaultValues));
}

weft_status SessionPlan::planEntry(size_t index) {
  const weft_abi_entry &entry = code.entries[index];
  EntryPlan &plan = session.plans[index];
  size_t dims = 0, inputs = 0; // of the entries before
  for (size_t e = 0; e < index; ++e) {
    dims += size_t(code.entries[e].dim_count);
    inputs += size_t(code.entries[e].input_count);
  }
  int64_t *maxDims = &session.maxDims[dims];
  plan = {&entry,
          pickVariant(entry, session.model->machine, options.variant),
          maxDims,
          &session.defaults[inputs],
          &session.stateDims[index * size_t(code.state_dim_count)],
          false,
          0,
          0};
  planStateDims(code, entry, &session.stateDims[index * size_t(code.state_dim_count)]);
  if (!plan.variant)
    return failVariant(entry, session.model->machine, options.variant);
  for (int32_t d = 0; d < entry.dim_count; ++d) {
    maxDims[d] = entry.dims[d].max;
    for (size_t i = 0; i < options.dim_limit_count; ++i)
      if (strcmp(options.dim_limits[i].name, entry.dims[d].name) == 0 && options.dim_limits[i].max < maxDims[d])
        maxDims[d] = options.dim_limits[i].max;
  }
  measureEntry(plan);
  findKernels(plan);
  return reserveDefaults(plan);
}

/// Those of the variant's target, which lie together.
void SessionPlan::findKernels(EntryPlan &plan) {
  for (int32_t k = code.kernel_count; k-- > 0;)
    if (strcmp(code.kernels[k].target, plan.variant->target) == 0) {
      plan.firstKernel = k;
      ++plan.kernelCount;
    }
}

/// What the largest call needs.
void SessionPlan::measureEntry(EntryPlan &plan) {
  const weft_abi_entry &entry = *plan.entry;
  uint64_t arena = arenaBytesOf(*plan.variant, plan.maxDims), scratch = scratchEnd(0, arena);
  plan.sizesFit = true;
  for (int32_t i = 0; i < entry.input_count; ++i)
    plan.sizesFit &= bytesOf(entry.inputs[i], plan.maxDims) <= PTRDIFF_MAX;
  for (int32_t i = 0; i < entry.output_count; ++i) {
    uint64_t bytes = bytesOf(entry.outputs[i], plan.maxDims);
    plan.sizesFit &= bytes <= PTRDIFF_MAX;
    scratch = scratchEnd(scratch, bytes);
  }
  if (arena > session.arenaBytes)
    session.arenaBytes = arena;
  if (scratch > largestScratch)
    largestScratch = scratch;
}

weft_status SessionPlan::reserve(Reservation &memory, uint64_t largest, const char *what) {
  // Beyond this, what the model's bounds allow says little about what it is used for.
  constexpr uint64_t kReservedAtOnce = UINT64_C(1) << 30; // bytes
  uint64_t bytes = largest > kReservedAtOnce ? kReservedAtOnce : largest ? largest : 1;
  if (!memory.grow(bytes))
    return failOutOfMemory(what, bytes);
  session.reservedBytes += memory.bytes;
  return WEFT_OK;
}

/// Those whose extents are fixed; others are reserved by the call that tells the extents.
weft_status SessionPlan::reserveStates() {
  forgetStates(session);
  for (int32_t i = 0; i < code.state_count; ++i)
    if (uint64_t bytes = bytesOf(code.states[i], session.stateExtents.get());
        bytes != kCountless && (!session.model->device || isChecked(code.states[i])))
      if (weft_status status = reserve(session.states[i], bytes, kStateMemory))
        return status;
  return WEFT_OK;
}

weft_status SessionPlan::reserveDefaults(EntryPlan &plan) {
  const weft_abi_entry &entry = *plan.entry;
  for (int32_t i = 0; i < entry.input_count; ++i)
    if (entry.inputs[i].optional)
      if (weft_status status =
              reserve(plan.defaults[i].memory, bytesOf(entry.inputs[i], plan.maxDims), "an absent input's values"))
        return status;
  return WEFT_OK;
}

weft_status SessionPlan::startThreads() {
  Executor &executor = session.executor;
  if (options.executor) {
    executor.embedder = *options.executor;
    executor.concurrency = options.executor->concurrency;
    return WEFT_OK;
  }
  if (!processCores.knowsCores())
    processCores.setCores(availableCores());
  int32_t threads = options.threads ? options.threads : defaultThreads();
  if (threads > 1 && !executor.pool.start(threads - 1))
    return failOutOfMemory("threads", uint64_t(threads) * sizeof(pthread_t));
  executor.concurrency = executor.pool.workerCount() + 1;
  return WEFT_OK;
}

weft_status SessionPlan::startDevice() {
  session.device = Owned<cuda::DeviceSession>::create(*session.model->device, code);
  if (!session.device)
    return failOutOfMemory("session", sizeof(cuda::DeviceSession));
  session.executor.concurrency = 1;
  return session.device->start(session.inputCount);
}

weft_status weft_session_new(weft_model *model, const weft_session_options *options, weft_session **session) {
  static constexpr weft_session_options kDefaults = {sizeof(weft_session_options), 0, nullptr, nullptr, 0, nullptr};
  if (session)
    *session = nullptr;
  if (!model || !session)
    return badOption("model or session is null", "open a model first");
  if (model->isDescribed)
    return badOption("the model is only described", "open it without WEFT_OPEN_DESCRIBE");
  if (options && options->size < sizeof(weft_session_options))
    return badOption("options->size is not sizeof(weft_session_options)",
                     "set size, zero all fields that are not used");
  Owned<weft_session> made(Owned<weft_session>::create());
  if (!made)
    return failOutOfMemory("session", sizeof(weft_session));
  retain(model);
  made->model = model;
  made->executor.experts = model->experts.isOn() ? &model->experts : nullptr;
  SessionPlan plan(*made.get(), options ? *options : kDefaults);
  if (weft_status status = plan.run())
    return status;
  *session = made.release();
  return WEFT_OK;
}

void weft_session_free(weft_session *session) { Owned<weft_session>::destroy(session); }

weft_status weft_session_reset(weft_session *session) {
  if (!session)
    return badOption("session is null", "make a session first");
  Turn turn(*session);
  if (!turn)
    return failBusy("weft_session_reset");
  if (weft_status status = checkDevice(*session, "weft_session_reset"))
    return status;
  forgetStates(*session);
  session->scratch.clear();
  for (size_t i = 0; i < session->inputCount; ++i) {
    session->defaults[i].memory.clear();
    session->defaults[i].prepared = 0;
  }
  return WEFT_OK;
}

weft_status weft_session_describe(const weft_session *session, weft_session_info *info) {
  if (!session || !info)
    return badOption("session or info is null", "make a session first");
  uint64_t onDevice = session->device ? session->device->reserved.load(std::memory_order_relaxed) : 0;
  *info = {session->executor.concurrency, session->arenaBytes, session->reservedBytes + onDevice, session->stateBytes};
  return WEFT_OK;
}

const char *weft_session_variant(const weft_session *session, const char *entry) {
  if (!session)
    return nullptr;
  EntryPlan *plan = findPlan(const_cast<weft_session &>(*session), entry);
  return plan ? plan->variant->target : nullptr;
}
