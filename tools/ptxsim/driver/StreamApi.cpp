// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuStream*, cuEvent*. Work is done when it is enqueued, so that every stream is always empty and every recorded event
// has happened; times are those of the simulation.
#include "tools/ptxsim/driver/State.h"

#include <chrono>

namespace weft::ptxsim::driver {

bool isStream(const State &state, const Stream *stream) {
  // 0 is the default stream, 1 and 2 are CU_STREAM_LEGACY and CU_STREAM_PER_THREAD.
  return uintptr_t(stream) <= 2 || state.streams.count(stream);
}

static int createStream(Stream **stream, unsigned flags, int priority) {
  return guardedInContext([&](State &state) {
    if (!stream || flags > 1)
      return INVALID_VALUE;
    auto made = std::make_unique<Stream>(Stream{flags, priority});
    *stream = made.get();
    state.streams.emplace(*stream, std::move(made));
    return SUCCESS;
  });
}

PTXSIM_API int cuStreamCreate(Stream **stream, unsigned flags) { return createStream(stream, flags, 0); }

PTXSIM_API int cuStreamCreateWithPriority(Stream **stream, unsigned flags, int priority) {
  return createStream(stream, flags, priority);
}

PTXSIM_API int cuStreamDestroy_v2(Stream *stream) {
  return guardedEvenIfLost([&](State &state) { return state.streams.erase(stream) ? SUCCESS : INVALID_HANDLE; });
}

static int withStream(const Stream *stream) {
  return guardedInContext([&](State &state) { return isStream(state, stream) ? SUCCESS : INVALID_HANDLE; });
}

PTXSIM_API int cuStreamSynchronize(Stream *stream) { return withStream(stream); }

PTXSIM_API int cuStreamQuery(Stream *stream) { return withStream(stream); }

PTXSIM_API int cuStreamGetPriority(Stream *stream, int *priority) {
  *priority = uintptr_t(stream) <= 2 ? 0 : stream->priority;
  return withStream(stream);
}

PTXSIM_API int cuStreamGetFlags(Stream *stream, unsigned *flags) {
  *flags = uintptr_t(stream) <= 2 ? 0 : stream->flags;
  return withStream(stream);
}

PTXSIM_API int cuStreamGetCtx(Stream *stream, Context **context) {
  *context = currentContext();
  return withStream(stream);
}

PTXSIM_API int cuStreamIsCapturing(Stream *stream, int *status) {
  *status = 0; // not capturing
  return withStream(stream);
}

PTXSIM_API int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  return guardedInContext(
      [&](State &state) { return isStream(state, stream) && state.events.count(event) ? SUCCESS : INVALID_HANDLE; });
}

PTXSIM_API int cuLaunchHostFunc(Stream *stream, void (*function)(void *), void *data) {
  int result = withStream(stream);
  if (result == SUCCESS)
    function(data);
  return result;
}

PTXSIM_API int cuEventCreate(Event **event, unsigned flags) {
  return guardedInContext([&](State &state) {
    auto made = std::make_unique<Event>(Event{flags, false, 0});
    *event = made.get();
    state.events.emplace(*event, std::move(made));
    return SUCCESS;
  });
}

PTXSIM_API int cuEventDestroy_v2(Event *event) {
  return guardedEvenIfLost([&](State &state) { return state.events.erase(event) ? SUCCESS : INVALID_HANDLE; });
}

PTXSIM_API int cuEventRecord(Event *event, Stream *stream) {
  return guardedInContext([&](State &state) {
    if (!state.events.count(event) || !isStream(state, stream))
      return INVALID_HANDLE;
    event->recorded = true;
    event->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    return SUCCESS;
  });
}

PTXSIM_API int cuEventRecordWithFlags(Event *event, Stream *stream, unsigned) { return cuEventRecord(event, stream); }

static int withEvent(Event *event) {
  return guardedInContext([&](State &state) { return state.events.count(event) ? SUCCESS : INVALID_HANDLE; });
}

PTXSIM_API int cuEventSynchronize(Event *event) { return withEvent(event); }

PTXSIM_API int cuEventQuery(Event *event) { return withEvent(event); }

PTXSIM_API int cuEventElapsedTime(float *milliseconds, Event *start, Event *end) {
  return guardedInContext([&](State &state) {
    constexpr unsigned kNoTiming = 2;
    if (!state.events.count(start) || !state.events.count(end) || !start->recorded || !end->recorded ||
        ((start->flags | end->flags) & kNoTiming))
      return INVALID_HANDLE;
    *milliseconds = float((end->seconds - start->seconds) * 1e3);
    return SUCCESS;
  });
}

PTXSIM_API int cuEventElapsedTime_v2(float *milliseconds, Event *start, Event *end) {
  return cuEventElapsedTime(milliseconds, start, end);
}

} // namespace weft::ptxsim::driver
