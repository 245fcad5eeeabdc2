// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/DeviceChoice.h"

#include "runtime/core/Descriptor.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace weft::runtime::cuda {

static const char *const kCompileForGpu = "compile the model for it too: `weft compile … --target nvptx:sm_80`, or run "
                                          "it on the CPU: `--target cpu`, device \"cpu\"";

weft_status readRequest(const char *text, const Place &place, DeviceRequest &request) {
  request = {};
  if (!text || strcmp(text, "auto") == 0)
    return WEFT_OK;
  if (strcmp(text, "cpu") == 0) {
    request.kind = DeviceRequest::Cpu;
    return WEFT_OK;
  }
  request.kind = DeviceRequest::Gpu;
  if (strcmp(text, "cuda") == 0)
    return WEFT_OK;
  char *end = nullptr;
  bool isNumbered = strncmp(text, "cuda:", 5) == 0 && text[5] >= '0' && text[5] <= '9' && strlen(text) <= 8;
  if (isNumbered)
    request.ordinal = int(strtol(text + 5, &end, 10));
  if (isNumbered && !*end)
    return WEFT_OK;
  return fail(kBadArgument, place, "give \"auto\", \"cpu\", \"cuda\" or, for one of several GPUs, \"cuda:0\"",
              "'%.64s' is no device", text);
}

static bool hasGpuCode(const weft_abi_entry &entry) {
  for (int32_t v = 0; v < entry.variant_count; ++v)
    if (entry.variants[v].device == WEFT_DEVICE_CUDA)
      return true;
  return false;
}

bool hasGpuCode(const weft_abi_model &model) {
  for (int32_t e = 0; e < model.entry_count; ++e)
    if (!hasGpuCode(model.entries[e]))
      return false;
  return true;
}

/// An entry whose code does not run on the architecture; null where all do.
static const weft_abi_entry *unfit(const weft_abi_model &model, int32_t architecture) {
  for (int32_t e = 0; e < model.entry_count; ++e)
    if (!pickVariant(model.entries[e], {0, architecture}, nullptr))
      return &model.entries[e];
  return nullptr;
}

namespace {
/// "sm_90a, sm_80", the targets of an entry's code for GPUs, as many as there is room for.
struct GpuTargets {
  explicit GpuTargets(const weft_abi_entry &entry) {
    size_t used = 0;
    for (int32_t v = 0; v < entry.variant_count && used < sizeof(text); ++v)
      if (entry.variants[v].device == WEFT_DEVICE_CUDA)
        used +=
            size_t(snprintf(text + used, sizeof(text) - used, "%s%.32s", used ? ", " : "", entry.variants[v].target));
  }
  char text[128] = "";
};
} // namespace

static weft_status failNoCode(const weft_abi_model &model, const Place &place) {
  for (int32_t e = 0; e < model.entry_count; ++e)
    if (!hasGpuCode(model.entries[e]))
      return fail(kNoDevice, place, kCompileForGpu, "entry '%s' has no code for GPUs", model.entries[e].name);
  return WEFT_OK;
}

static weft_status failUnfit(const weft_abi_entry &entry, const DeviceFacts &facts, const Place &place) {
  return fail(kNoDevice, place, kCompileForGpu, "GPU %d (%s) has compute capability %d.%d; entry '%s' has code for %s",
              facts.ordinal, facts.name, facts.architecture / 10, facts.architecture % 10, entry.name,
              GpuTargets(entry).text);
}

/// The first device, or that of the ordinal, that runs every entry.
static weft_status findDevice(const weft_abi_model &model, const Driver &driver, int ordinal, const Place &place,
                              DeviceFacts &facts) {
  int count = 0;
  if (weft_status status = deviceCount(driver, count))
    return status;
  if (ordinal >= count || count == 0)
    return fail(kNoDevice, place, "nvidia-smi lists the GPUs; CUDA_VISIBLE_DEVICES hides some",
                "there is no GPU %d: the CUDA driver shows %d", ordinal < 0 ? 0 : ordinal, count);
  int begin = ordinal < 0 ? 0 : ordinal, end = ordinal < 0 ? count : ordinal + 1;
  weft_status status = WEFT_ERROR_DEVICE;
  for (int i = begin; i < end; ++i) {
    if (weft_status unknown = describeDevice(driver, i, facts))
      return unknown;
    const weft_abi_entry *entry = unfit(model, facts.architecture);
    if (!entry)
      return WEFT_OK;
    status = failUnfit(*entry, facts, place);
  }
  return status;
}

weft_status chooseDevice(const weft_abi_model &model, const DeviceRequest &request, bool cpuCan, const Place &place,
                         Device *&device) {
  device = nullptr;
  if (request.kind == DeviceRequest::Cpu || (request.kind == DeviceRequest::Any && !hasGpuCode(model)))
    return WEFT_OK;
  if (!hasGpuCode(model))
    return failNoCode(model, place);
  bool mayFallBack = request.kind == DeviceRequest::Any && cpuCan;
  const Driver *driver = sharedDriver();
  DeviceFacts facts = {};
  weft_status status = driver ? findDevice(model, *driver, request.ordinal, place, facts) : WEFT_ERROR_DEVICE;
  if (status)
    return mayFallBack ? WEFT_OK : status;
  Device *found = deviceOf(facts.ordinal);
  if (!found)
    return fail(kNoDevice, place, "hide GPUs with CUDA_VISIBLE_DEVICES", "the GPU's number is above 63");
  if (weft_status refused = found->retain(*driver, facts))
    return refused;
  device = found;
  return WEFT_OK;
}

} // namespace weft::runtime::cuda
