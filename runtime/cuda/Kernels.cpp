// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/cuda/Kernels.h"

#include "runtime/core/Descriptor.h"
#include "runtime/core/Digest.h"

#include <cstdio>

namespace weft::runtime::cuda {

namespace {
/// The versions of PTX that came with versions of CUDA (the release notes of PTX ISA), as far as they did not come
/// with the same number of both: 83 is 8.3, 12030 is 12.3.
constexpr struct {
  int ptx, cuda;
} kPtxVersions[] = {{70, 11000}, {71, 11010}, {72, 11020}, {73, 11030}, {74, 11040}, {75, 11050}, {76, 11060},
                    {77, 11070}, {78, 11080}, {80, 12000}, {81, 12010}, {82, 12020}, {83, 12030}, {84, 12040},
                    {85, 12050}, {86, 12070}, {87, 12080}, {88, 12090}, {90, 13000}, {91, 13010}};

/// One kernel on its way into the driver.
class KernelLoad {
public:
  KernelLoad(const weft_abi_kernel &kernel, const ArtifactFiles &files, Device &device, char *log, size_t logBytes)
      : kernel(kernel), files(files), device(device), log(log), logBytes(logBytes) {}

  weft_status run(int32_t architecture);

  Module *module = nullptr;
  Function *function = nullptr;

private:
  weft_status read(const ManifestFile &listed);
  Result give();
  weft_status loadText(const ManifestFile &listed);
  weft_status refused(Result result, const Place &place);
  int textVersion() const;
  weft_status prepare(const Place &place);

  const weft_abi_kernel &kernel;
  const ArtifactFiles &files;
  Device &device;
  char *log;
  size_t logBytes;
  Array<char> image; // ends with a zero
};
} // namespace

/// What is loaded is what was checked: length and digest are those of the bytes that the driver gets.
weft_status KernelLoad::read(const ManifestFile &listed) {
  constexpr uint64_t kMostBytes = 64 << 20;
  File file;
  if (weft_status status = files.manifest.open(files.directory, listed, file))
    return status;
  if (file.size > kMostBytes)
    return fail(kKernelRefused, file.place(), "make the artifact again with `weft compile`",
                "the kernel has %llu bytes, more than any kernel needs", static_cast<unsigned long long>(file.size));
  image = Array<char>(file.size + 1);
  if (!image)
    return failOutOfMemory("a kernel's code", file.size + 1);
  if (weft_status status = file.read(image.get(), 0, file.size))
    return status;
  return digestOf(image.get(), file.size).text == listed.digest ? WEFT_OK : failDigest(file);
}

Result KernelLoad::give() {
  int options[] = {kJitErrorLog, kJitErrorLogBytes};
  uintptr_t values[] = {reinterpret_cast<uintptr_t>(log), logBytes}; // numbers and pointers, as the option says
  log[0] = '\0';
  return device.api().moduleLoadData(&module, image.get(), 2, options, values);
}

/// 83 of a text with the line ".version 8.3"; 0 where there is none.
int KernelLoad::textVersion() const {
  const char *at = strstr(image.get(), ".version");
  int major = 0, minor = 0;
  return at && sscanf(at, ".version %d.%d", &major, &minor) == 2 ? major * 10 + minor : 0;
}

weft_status KernelLoad::refused(Result result, const Place &place) {
  int ptx = textVersion(), needed = 0, driver = device.driver->version;
  for (const auto &version : kPtxVersions)
    if (version.ptx == ptx)
      needed = version.cuda;
  bool isUnknown = result == kErrorInvalidPtx && needed > driver;
  if (result == kErrorUnsupportedPtxVersion || isUnknown)
    return fail(kPtxTooNew, place,
                "install a newer driver, or compile where ptxas is: `weft compile` then puts machine code "
                "(NAME.cubin) beside the PTX, which needs no assembler",
                "the kernel is in PTX %d.%d, which the driver, for CUDA %s, does not know%s%s", ptx / 10, ptx % 10,
                VersionText(driver).text, needed ? "; it came with CUDA " : "", needed ? VersionText(needed).text : "");
  if (result == kErrorJitCompilerNotFound || result == kErrorJitCompilationDisabled)
    return fail(kKernelRefused, place,
                "unset CUDA_DISABLE_PTX_JIT, install the driver's JIT compiler (libnvidia-ptxjitcompiler), or compile "
                "where ptxas is: `weft compile` then puts machine code beside the PTX",
                "the driver cannot assemble the kernel: %s", ResultText(*device.driver, result).text);
  if (result != kErrorInvalidPtx && result != kErrorInvalidImage && result != kErrorInvalidSource &&
      result != kErrorNoBinaryForGpu)
    return device.failed(result, "load a kernel", place);
  for (char *c = log; *c; ++c)
    if (*c == '\n')
      *c = ' ';
  return fail(kKernelRefused, place, "this is a fault of the compiler: report it with the model",
              "the driver does not take the kernel: %s%s%.440s", ResultText(*device.driver, result).text,
              *log ? ": " : "", log);
}

weft_status KernelLoad::loadText(const ManifestFile &listed) {
  if (weft_status status = read(listed))
    return status;
  Place place("%s/%s", files.directory.path, listed.name);
  if (Result result = give())
    return refused(result, place);
  return prepare(place);
}

/// Machine code runs on its own architecture and, within the major number, on later ones. Where the driver finds that
/// it is not for this GPU, the text serves.
weft_status KernelLoad::run(int32_t architecture) {
  char name[sizeof(ManifestFile::name)];
  snprintf(name, sizeof(name), "kernels/%s/%s.cubin", kernel.target, kernel.name);
  const ManifestFile *code = files.manifest.find(name);
  if (code && architecture / 10 == device.facts.architecture / 10 && architecture <= device.facts.architecture) {
    if (weft_status status = read(*code))
      return status;
    Result result = give();
    if (result == kSuccess)
      return prepare(Place("%s/%s", files.directory.path, name));
    if (result != kErrorNoBinaryForGpu && result != kErrorInvalidImage)
      return refused(result, Place("%s/%s", files.directory.path, name));
  }
  snprintf(name, sizeof(name), "kernels/%s/%s.ptx", kernel.target, kernel.name);
  if (const ManifestFile *text = files.manifest.find(name))
    return loadText(*text);
  return fail(kKernelRefused, Place("%s/%s", files.directory.path, name), "make the artifact again with `weft compile`",
              "the artifact does not list the kernel");
}

/// Finds the entry and asks for its shared memory; whether a block of the kernel fits the device is known now, not at
/// the first launch.
weft_status KernelLoad::prepare(const Place &place) {
  constexpr int kSharedWithoutAsking = 48 << 10; // bytes
  const DriverApi &api = device.api();
  if (api.moduleGetFunction(&function, module, kernel.name))
    return fail(kKernelRefused, place, "make the artifact again with `weft compile`", "the file has no entry '%s'",
                kernel.name);
  int fixed = 0, threads = 0;
  Result result = api.functionGetAttribute(&fixed, kFunctionStaticShared, function);
  if (!result)
    result = api.functionGetAttribute(&threads, kFunctionMaxThreads, function);
  if (result)
    return device.failed(result, "describe a kernel", place);
  static const char *const kHelp = "compile the model for this GPU: `weft compile … --target nvptx:…`";
  if (fixed + kernel.shared_bytes > device.facts.sharedPerBlock)
    return fail(kKernelRefused, place, kHelp, "a block needs %d bytes of shared memory, GPU %d (%s) has %d",
                fixed + kernel.shared_bytes, device.facts.ordinal, device.facts.name, device.facts.sharedPerBlock);
  if (kernel.threads > threads)
    return fail(kKernelRefused, place, kHelp, "a block has %d threads, GPU %d (%s) has registers for %d of this kernel",
                kernel.threads, device.facts.ordinal, device.facts.name, threads);
  if (fixed + kernel.shared_bytes > kSharedWithoutAsking)
    if (Result asked = api.functionSetAttribute(function, kFunctionMaxDynamicShared, kernel.shared_bytes))
      return device.failed(asked, "give a kernel its shared memory", place);
  return WEFT_OK;
}

/// The architecture of the target where an entry takes its code for this device; 0 where none does.
static int32_t architectureTaken(const weft_abi_model &model, const char *target, const Machine &machine) {
  for (int32_t e = 0; e < model.entry_count; ++e)
    if (const weft_abi_variant *variant = pickVariant(model.entries[e], machine, nullptr);
        variant && strcmp(variant->target, target) == 0)
      return variant->architecture;
  return 0;
}

weft_status Kernels::load(const weft_abi_model &model, const ArtifactFiles &files, Device &device) {
  constexpr size_t kLogBytes = 8192;
  Array<char> log(kLogBytes);
  loaded = Array<Loaded>(size_t(model.kernel_count));
  if (!loaded || !log)
    return failOutOfMemory("the table of kernels", size_t(model.kernel_count) * sizeof(Loaded));
  count = model.kernel_count;
  Machine machine = {0, device.facts.architecture};
  for (int32_t k = 0; k < count; ++k) {
    int32_t architecture = architectureTaken(model, model.kernels[k].target, machine);
    if (!architecture)
      continue;
    if (Function *same = earlier(model, k)) {
      loaded[size_t(k)] = {nullptr, same};
      continue;
    }
    KernelLoad load(model.kernels[k], files, device, log.get(), kLogBytes);
    weft_status status = load.run(architecture);
    loaded[size_t(k)] = {load.module, load.function};
    if (status)
      return status;
  }
  return WEFT_OK;
}

Function *Kernels::earlier(const weft_abi_model &model, int32_t kernel) const {
  for (int32_t k = 0; k < kernel; ++k)
    if (isSame(model.kernels[k], model.kernels[kernel]))
      return loaded[size_t(k)].function;
  return nullptr;
}

void Kernels::unload(const Device &device) {
  for (int32_t k = 0; k < count; ++k)
    if (loaded[size_t(k)].module)
      device.api().moduleUnload(loaded[size_t(k)].module);
  count = 0;
}

} // namespace weft::runtime::cuda
