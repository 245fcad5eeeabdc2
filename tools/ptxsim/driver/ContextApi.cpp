// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// cuCtx*, cuDevicePrimaryCtx*. Contexts share the one device memory; a thread has a stack of current ones.
#include "tools/ptxsim/driver/State.h"

#include <algorithm>

namespace weft::ptxsim::driver {

static std::vector<Context *> &currentContexts() {
  thread_local std::vector<Context *> stack;
  return stack;
}

Context *currentContext() { return currentContexts().empty() ? nullptr : currentContexts().back(); }

static void makeCurrent(Context *context) {
  auto &stack = currentContexts();
  if (!stack.empty())
    stack.pop_back();
  if (context)
    stack.push_back(context);
}

PTXSIM_API int cuDevicePrimaryCtxRetain(Context **context, int device) {
  return guarded([&](State &state) {
    if (!context)
      return INVALID_VALUE;
    if (device)
      return INVALID_DEVICE;
    ++state.primary.users;
    *context = &state.primary;
    return SUCCESS;
  });
}

PTXSIM_API int cuDevicePrimaryCtxRelease_v2(int device) {
  return guardedEvenIfLost([&](State &state) {
    if (device)
      return INVALID_DEVICE;
    if (state.primary.users == 0)
      return INVALID_CONTEXT;
    --state.primary.users;
    return SUCCESS;
  });
}

PTXSIM_API int cuDevicePrimaryCtxRelease(int device) { return cuDevicePrimaryCtxRelease_v2(device); }

PTXSIM_API int cuDevicePrimaryCtxReset_v2(int device) {
  // A reset frees everything and is the way out of a sticky error, unless the device itself is gone.
  return guardedEvenIfLost([&](State &state) {
    if (device)
      return INVALID_DEVICE;
    state.reset();
    return SUCCESS;
  });
}

PTXSIM_API int cuDevicePrimaryCtxReset(int device) { return cuDevicePrimaryCtxReset_v2(device); }

PTXSIM_API int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  return guarded([&](State &state) {
    state.primary.flags = flags;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuDevicePrimaryCtxSetFlags(int device, unsigned flags) {
  return cuDevicePrimaryCtxSetFlags_v2(device, flags);
}

PTXSIM_API int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return guarded([&](State &state) {
    *flags = state.primary.flags;
    *active = state.primary.users > 0;
    return device ? INVALID_DEVICE : SUCCESS;
  });
}

PTXSIM_API int cuCtxCreate_v2(Context **context, unsigned flags, int device) {
  return guarded([&](State &state) {
    if (device)
      return INVALID_DEVICE;
    state.contexts.push_back(std::make_unique<Context>(Context{1, flags}));
    *context = state.contexts.back().get();
    currentContexts().push_back(*context);
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxDestroy_v2(Context *context) {
  return guardedEvenIfLost([&](State &state) {
    auto found = std::find_if(state.contexts.begin(), state.contexts.end(),
                              [&](const auto &each) { return each.get() == context; });
    if (found == state.contexts.end())
      return INVALID_CONTEXT;
    std::erase(currentContexts(), context);
    state.contexts.erase(found);
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxSetCurrent(Context *context) {
  return guardedEvenIfLost([&](State &) {
    makeCurrent(context);
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxGetCurrent(Context **context) {
  return guardedEvenIfLost([&](State &) {
    *context = currentContext();
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxPushCurrent_v2(Context *context) {
  return guardedEvenIfLost([&](State &) {
    if (!context)
      return INVALID_CONTEXT;
    currentContexts().push_back(context);
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxPopCurrent_v2(Context **context) {
  return guardedEvenIfLost([&](State &) {
    if (!currentContext())
      return INVALID_CONTEXT;
    if (context)
      *context = currentContext();
    currentContexts().pop_back();
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxGetDevice(int *device) {
  return guarded([&](State &) {
    *device = 0;
    return currentContext() ? SUCCESS : INVALID_CONTEXT;
  });
}

PTXSIM_API int cuCtxGetFlags(unsigned *flags) {
  return guarded([&](State &) {
    if (!currentContext())
      return INVALID_CONTEXT;
    *flags = currentContext()->flags;
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxGetApiVersion(Context *, unsigned *version) {
  *version = 3020;
  return SUCCESS;
}

PTXSIM_API int cuCtxSynchronize() {
  return guardedInContext([](State &) { return SUCCESS; });
}

PTXSIM_API int cuCtxGetLimit(size_t *value, int limit) {
  return guardedInContext([&](State &state) {
    if (limit < 0 || limit >= int(std::size(state.limits)))
      return UNSUPPORTED_LIMIT;
    *value = state.limits[limit];
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxSetLimit(int limit, size_t value) {
  return guardedInContext([&](State &state) {
    if (limit < 0 || limit >= int(std::size(state.limits)))
      return UNSUPPORTED_LIMIT;
    state.limits[limit] = value;
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return guardedInContext([&](State &) {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
    return SUCCESS;
  });
}

PTXSIM_API int cuCtxSetCacheConfig(int) {
  return guardedInContext([](State &) { return SUCCESS; });
}

} // namespace weft::ptxsim::driver
