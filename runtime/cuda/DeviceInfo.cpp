// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPUs, as the C API shows them.
#include "runtime/cuda/Device.h"

#include <cstdio>
#include <cstring>

using namespace weft::runtime;

static weft_status badQuery(const char *function, const char *what) {
  return fail(kBadArgument, Place("%s", function), "weft_device_count tells how many there are", "%s", what);
}

weft_status weft_device_count(size_t *count, int32_t *driver_version) {
  if (!count)
    return badQuery("weft_device_count", "count is null");
  *count = 0;
  const cuda::Driver *driver = cuda::sharedDriver();
  if (!driver)
    return WEFT_ERROR_DEVICE;
  int shown = 0;
  if (weft_status status = cuda::deviceCount(*driver, shown))
    return status;
  *count = size_t(shown);
  if (driver_version)
    *driver_version = driver->version;
  return WEFT_OK;
}

weft_status weft_device_describe(size_t index, weft_device_info *info) {
  if (!info)
    return badQuery("weft_device_describe", "info is null");
  size_t count = 0;
  if (weft_status status = weft_device_count(&count, nullptr))
    return status;
  if (index >= count)
    return badQuery("weft_device_describe", "there is no GPU of this index");
  cuda::DeviceFacts facts;
  if (weft_status status = describeDevice(*cuda::sharedDriver(), int(index), facts))
    return status;
  *info = {};
  memcpy(info->name, facts.name, sizeof(info->name));
  info->name[sizeof(info->name) - 1] = '\0';
  snprintf(info->device, sizeof(info->device), "cuda:%d", int(index));
  info->architecture = facts.architecture;
  info->multiprocessors = facts.multiprocessors;
  info->memory_bytes = facts.memory;
  return WEFT_OK;
}
