// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime reads of an artifact before it trusts it: the manifest, and the weights behind a digest that fits.
// The first byte of an input says which. Any bytes give a value or an error; the sanitizers look for the rest.
#include "runtime/core/Manifest.h"
#include "runtime/core/Weights.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace weft::runtime;

// The fuzzer needs no speed of these.
DigestBits weft::runtime::digestV3(const void *data, size_t size) { return digestPortable(data, size); }
DigestBits weft::runtime::digestV4(const void *data, size_t size) { return digestPortable(data, size); }

namespace {
/// A directory in memory with one file, written anew for each input.
class Scratch {
public:
  Scratch() : path("/dev/shm/weft-artifact-fuzz-" + std::to_string(getpid())) { mkdir(path.c_str(), 0700); }

  void write(const char *name, const uint8_t *data, size_t size) {
    int file = open((path + "/" + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::write(file, data, size) != ssize_t(size))
      abort();
    close(file);
  }

  std::string path;
};
} // namespace

/// A model of one weight, which the header may or may not hold.
static void readWeights(const Directory &directory) {
  static const int64_t kShape[] = {2};
  static const weft_abi_parameter kParameter = {"w", WEFT_F32, 1, kShape};
  weft_abi_model model = {};
  model.parameter_count = 1;
  model.parameters = &kParameter;
  File file;
  Weights weights;
  const void *pointer = nullptr;
  if (file.open(directory, "weights.safetensors") || weights.open(file, nullptr) ||
      weights.match(model, file, &pointer))
    return;
  float sum = static_cast<const float *>(pointer)[0] + static_cast<const float *>(pointer)[1];
  asm volatile("" : : "x"(sum)); // the reads must happen
}

static void readManifest(const Directory &directory) {
  Owned<Manifest> manifest(Owned<Manifest>::create());
  if (manifest->read(directory))
    return;
  for (int i = 0; i < manifest->fileCount; ++i) {
    File file;
    manifest->open(directory, manifest->files[i], file);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Scratch scratch;
  if (size == 0)
    return 0;
  bool manifest = data[0] & 1;
  scratch.write(manifest ? "manifest.json" : "weights.safetensors", data + 1, size - 1);
  Directory directory;
  if (directory.open(scratch.path.c_str()))
    abort();
  manifest ? readManifest(directory) : readWeights(directory);
  return 0;
}
