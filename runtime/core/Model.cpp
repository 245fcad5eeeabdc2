// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens an artifact: manifest, then model.so (verified, loaded, its descriptor
// checked), then the weights (mapped, verified, matched with the descriptor).
#include "runtime/core/Model.h"

#include "runtime/core/Descriptor.h"
#include "runtime/core/Manifest.h"
#include "runtime/cpu/CpuFeatures.h"
#include "runtime/cuda/DeviceChoice.h"
#include "runtime/cuda/DeviceModel.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>

using namespace weft::runtime;

weft_model::~weft_model() {
  Owned<cuda::DeviceModel>::destroy(device);
  if (library)
    dlclose(library);
}

void weft::runtime::retain(weft_model *model) { model->references.fetch_add(1, std::memory_order_relaxed); }

void weft::runtime::release(weft_model *model) {
  if (model->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    Owned<weft_model>::destroy(model);
}

namespace {
/// The steps of weft_open, in order.
class Opening {
public:
  Opening(weft_model &model, const weft_open_options &options) : model(model), options(options) {}

  weft_status run(const char *path);

private:
  weft_status loadCode();
  weft_status checkNames(const Place &place) const;
  weft_status loadWeights();
  weft_status verifyOthers();
  weft_status loadOnDevice();

  weft_model &model;
  const weft_open_options &options;
  Directory directory;
  Manifest manifest;
};

/// Where dlopen finds an open file. glibc takes two libraries of one name for
/// the same, and descriptors are used again after close: so each name is new,
/// with a number spelled in slashes that mean nothing ("//" 0, "/./" 1).
struct LoadName {
  explicit LoadName(int descriptor) {
    static std::atomic<uint32_t> counter{0};
    uint32_t number = counter.fetch_add(1, std::memory_order_relaxed);
    size_t used = snprintf(text, sizeof(text), "/proc/self/fd");
    for (int i = 0; i < 32; ++i)
      used += snprintf(text + used, sizeof(text) - used, "%s", number >> i & 1 ? "/./" : "//");
    snprintf(text + used, sizeof(text) - used, "%d", descriptor);
  }
  char text[160];
};
} // namespace

/// Takes the device for the model, and the place of what it will have there.
static weft_status adoptDevice(weft_model &model, const cuda::DeviceRequest &request, bool cpuCan, const Place &place) {
  cuda::Device *device = nullptr;
  if (weft_status status = cuda::chooseDevice(*model.descriptor, request, cpuCan, place, device))
    return status;
  if (!device)
    return WEFT_OK;
  model.device = Owned<cuda::DeviceModel>::create(*device);
  if (!model.device) {
    device->release();
    return failOutOfMemory("weft_open", sizeof(cuda::DeviceModel));
  }
  model.machine.architecture = device->facts.architecture;
  snprintf(model.deviceName, sizeof(model.deviceName), "cuda:%d", device->facts.ordinal);
  return WEFT_OK;
}

/// Chooses the device, and the CPU features that the model's variants may use.
static weft_status adoptDescriptor(weft_model &model, const cuda::DeviceRequest &request, const Place &place) {
  if (weft_status status = checkDescriptor(*model.descriptor, place))
    return status;
  constexpr uint64_t kAmx = WEFT_CPU_AMX_INT8 | WEFT_CPU_AMX_BF16;
  uint64_t wanted = 0;
  for (int32_t e = 0; e < model.descriptor->entry_count; ++e)
    for (int32_t v = 0; v < model.descriptor->entries[e].variant_count; ++v)
      wanted |= model.descriptor->entries[e].variants[v].required_features;
  uint64_t &features = model.machine.features;
  features = cpuFeatures();
  if (!(features & wanted & kAmx) || !requestAmx())
    features &= ~kAmx;
  if (model.isDescribed)
    return WEFT_OK;
  const weft_abi_entry *without = entryWithoutCode(*model.descriptor, features);
  if (weft_status status = adoptDevice(model, request, !without, place))
    return status;
  return without && !model.device ? failCpu(*without, features, place) : WEFT_OK;
}

weft_status Opening::run(const char *path) {
  if (weft_status status = directory.open(path))
    return status;
  if (weft_status status = manifest.read(directory))
    return status;
  if (weft_status status = loadCode())
    return status;
  if (weft_status status = loadWeights())
    return status;
  if (weft_status status = verifyOthers())
    return status;
  return loadOnDevice();
}

// Length and digest are checked and the code is loaded through one descriptor:
// what is loaded is what was checked, even if the name is replaced meanwhile.
weft_status Opening::loadCode() {
  static const char *const kHelp = "make the artifact again with `weft compile` on this system";
  const ManifestFile &listed = *manifest.find("model.so");
  File file;
  Digest digest;
  if (weft_status status = manifest.open(directory, listed, file))
    return status;
  if (weft_status status = digestOf(file, digest))
    return status;
  if (digest.text != listed.digest)
    return failDigest(file);
  model.library = dlopen(LoadName(file.descriptor).text, RTLD_NOW | RTLD_LOCAL);
  if (!model.library) {
    const char *reason = dlerror();
    return fail(kCodeUnloadable, file.place(), kHelp, "the model's code cannot be loaded: %s",
                reason ? reason : "the system gives no reason");
  }
  model.descriptor = static_cast<const weft_abi_model *>(dlsym(model.library, WEFT_ABI_DESCRIPTOR_SYMBOL));
  if (!model.descriptor)
    return fail(kCodeUnloadable, file.place(), kHelp, "the model's code exports no " WEFT_ABI_DESCRIPTOR_SYMBOL);
  cuda::DeviceRequest request;
  if (weft_status status = readRequest(options.device, Place("weft_open"), request))
    return status;
  if (request.kind == cuda::DeviceRequest::Any && options.experts_resident > 0)
    request.kind = cuda::DeviceRequest::Cpu;
  if (weft_status status = adoptDescriptor(model, request, file.place()))
    return status;
  return checkNames(file.place());
}

/// What the manifest says of the code is what the code says of itself: no bit
/// of the manifest that matters goes unchecked.
weft_status Opening::checkNames(const Place &place) const {
  const weft_abi_model &code = *model.descriptor;
  const weft_abi_entry &entry = code.entries[0];
  bool same = manifest.abiMajor == code.abi_major && manifest.abiMinor == code.abi_minor &&
              manifest.compiler == code.compiler && manifest.model == code.model &&
              manifest.targetCount == entry.variant_count;
  for (int32_t v = 0; same && v < entry.variant_count; ++v)
    same = manifest.targets[v] == entry.variants[v].target;
  if (same)
    return WEFT_OK;
  return fail(kManifestMalformed, place,
              "the files are not of one artifact: make it again with `weft "
              "compile`",
              "manifest.json and model.so disagree on ABI, compiler, model or "
              "targets; model.so is '%s', made by %s",
              code.model, code.compiler);
}

weft_status Opening::loadWeights() {
  const ManifestFile &listed = *manifest.find("weights.safetensors");
  const weft_abi_model &code = *model.descriptor;
  File file;
  if (weft_status status = manifest.open(directory, listed, file))
    return status;
  const std::string_view *digest = options.flags & WEFT_OPEN_TRUST_WEIGHTS ? nullptr : &listed.digest;
  if (weft_status status = model.weights.open(file, digest))
    return status;
  model.parameters = Array<const void *>(code.parameter_count);
  if (!model.parameters)
    return failOutOfMemory("parameter table", uint64_t(code.parameter_count) * sizeof(void *));
  return model.weights.match(code, file, model.parameters.get());
}

/// Files that the runtime does not read, such as the tokenizer, are still part
/// of what the manifest vouches for.
weft_status Opening::verifyOthers() {
  for (int i = 0; i < manifest.fileCount; ++i) {
    const ManifestFile &listed = manifest.files[i];
    if (strcmp(listed.name, "model.so") == 0 || strcmp(listed.name, "weights.safetensors") == 0)
      continue;
    File file;
    Digest digest;
    if (weft_status status = manifest.open(directory, listed, file))
      return status;
    if (weft_status status = digestOf(file, digest))
      return status;
    if (digest.text != listed.digest)
      return failDigest(file);
  }
  return WEFT_OK;
}

weft_status Opening::loadOnDevice() {
  if (!model.device)
    return WEFT_OK;
  return model.device->load(*model.descriptor, {directory, manifest}, model.parameters.get());
}

static weft_status badArgument(const char *function, const char *what) {
  return fail(kBadArgument, Place("%s", function), "see weft/runtime.h for what the function takes", "%s", what);
}

/// The options that were given, zeros for the others: a program may have been built when there were fewer.
static weft_status read(const weft_open_options *options, const char *function, weft_open_options &known) {
  known = {};
  if (!options)
    return WEFT_OK;
  if (options->size < offsetof(weft_open_options, experts_resident))
    return badArgument(function, "options->size is not sizeof(weft_open_options)");
  memcpy(&known, options, options->size < sizeof(known) ? options->size : sizeof(known));
  if (known.flags & ~(WEFT_OPEN_TRUST_WEIGHTS | WEFT_OPEN_DESCRIBE))
    return badArgument(function, "options->flags has an unknown bit");
  if (known.experts_resident < 0)
    return badArgument(function, "options->experts_resident is negative; 0 holds all");
  cuda::DeviceRequest request;
  if (weft_status status = readRequest(known.device, Place("%s", function), request))
    return status;
  if (known.experts_resident > 0 && request.kind == cuda::DeviceRequest::Gpu)
    return badArgument(function, "options->experts_resident is for the CPU: a GPU holds all weights");
  return WEFT_OK;
}

static weft_status holdExperts(weft_model &model, int64_t limit, const PageCalls &pages) {
  if (limit == 0 || model.experts.start(*model.descriptor, model.parameters.get(), limit, pages))
    return WEFT_OK;
  return failOutOfMemory("the table of experts", uint64_t(model.descriptor->parameter_count) * sizeof(void *));
}

weft_status weft_open(const char *path, const weft_open_options *options, weft_model **model) {
  weft_open_options known;
  if (model)
    *model = nullptr;
  if (!path || !model)
    return badArgument("weft_open", "path or model is null");
  if (weft_status status = read(options, "weft_open", known))
    return status;
  Owned<weft_model> made(Owned<weft_model>::create());
  // The manifest's tables are too large for the stack of a small thread.
  if (!made)
    return failOutOfMemory("weft_open", sizeof(weft_model));
  made->isDescribed = known.flags & WEFT_OPEN_DESCRIBE;
  Owned<Opening> opening(Owned<Opening>::create(*made.get(), known));
  if (!opening)
    return failOutOfMemory("weft_open", sizeof(Opening));
  if (weft_status status = opening->run(path))
    return status;
  if (weft_status status = holdExperts(*made.get(), known.experts_resident, kMappedPages))
    return status;
  *model = made.release();
  return WEFT_OK;
}

weft_status weft_open_linked(const weft_abi_model *descriptor, const void *const *parameters,
                             const weft_open_options *options, weft_model **model) {
  weft_open_options known;
  if (model)
    *model = nullptr;
  if (!descriptor || !model)
    return badArgument("weft_open_linked", "descriptor or model is null");
  if (weft_status status = read(options, "weft_open_linked", known))
    return status;
  Owned<weft_model> made(Owned<weft_model>::create());
  if (!made)
    return failOutOfMemory("weft_open_linked", sizeof(weft_model));
  made->descriptor = descriptor;
  made->isDescribed = known.flags & WEFT_OPEN_DESCRIBE;
  cuda::DeviceRequest request;
  if (weft_status status = readRequest(known.device, Place("weft_open_linked"), request))
    return status;
  if (request.kind == cuda::DeviceRequest::Gpu)
    return badArgument("weft_open_linked", "options->device is a GPU: its kernels are files, which weft_open reads");
  request.kind = cuda::DeviceRequest::Cpu;
  if (weft_status status = adoptDescriptor(*made.get(), request, Place("weft_open_linked")))
    return status;
  size_t count = size_t(descriptor->parameter_count);
  if (count && !parameters)
    return badArgument("weft_open_linked", "parameters is null");
  made->parameters = Array<const void *>(count);
  if (!made->parameters)
    return failOutOfMemory("parameter table", count * sizeof(void *));
  for (size_t i = 0; i < count; ++i) {
    if (!parameters[i] || reinterpret_cast<uintptr_t>(parameters[i]) % Weights::kAlignment != 0)
      return fail(kWeightMismatch, Place("weft_open_linked"), "align each weight to 64 bytes",
                  "the pointer of weight '%s' is null or not aligned", descriptor->parameters[i].name);
    made->parameters[i] = parameters[i];
  }
  if (weft_status status = holdExperts(*made.get(), known.experts_resident, kKeptPages))
    return status;
  *model = made.release();
  return WEFT_OK;
}

weft_status weft_model_experts(weft_model *model, weft_experts_info *info) {
  if (!model || !info)
    return badArgument("weft_model_experts", "model or info is null");
  *info = model->experts.info();
  return WEFT_OK;
}

void weft_close(weft_model *model) {
  if (model)
    release(model);
}
