// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// manifest.json: what an artifact holds, for which ABI, with length and digest
// of every file. Read before anything else of the artifact.
#ifndef WEFT_RUNTIME_CORE_MANIFEST_H
#define WEFT_RUNTIME_CORE_MANIFEST_H

#include "runtime/core/File.h"
#include "runtime/core/JsonReader.h"

namespace weft::runtime {

/// A line of "files".
struct ManifestFile {
  char name[256]; // "kernels/sm_80/softmax.ptx": at most two folders
  uint64_t bytes;
  std::string_view digest; // 32 lower-case hexadecimal digits
};

class Manifest {
public:
  static constexpr const char *kFileName = "manifest.json";
  static constexpr uint64_t kFormat = 1;
  static constexpr uint64_t kMaxBytes = 4 << 20; // a real one has about 1 KB, and 100 bytes for each kernel
  static constexpr int kMaxFiles = 4096;
  static constexpr int kMaxTargets = 32;

  /// Reads and checks the manifest of an artifact; its ABI fits this runtime.
  weft_status read(const Directory &directory);

  /// Opens a listed file whose length is as listed. Its digest is not checked.
  weft_status open(const Directory &directory, const ManifestFile &listed, File &file) const;

  /// Null when the file is not listed.
  const ManifestFile *find(std::string_view name) const;

  uint64_t abiMajor = 0;
  uint64_t abiMinor = 0;
  std::string_view compiler;
  std::string_view model;
  std::string_view targets[kMaxTargets];
  int targetCount = 0;
  Array<ManifestFile> files;
  int fileCount = 0;

private:
  void readMembers(JsonReader &reader);
  void readAbi(JsonReader &reader);
  void readTargets(JsonReader &reader);
  void readFiles(JsonReader &reader);
  bool grow();
  void readFile(JsonReader &reader, std::string_view name);
  weft_status checkAbi(const Place &place) const;

  int fileRoom = 0;
  bool isOutOfMemory = false;
  Array<char> text;
  JsonReader reader{{}}; // keeps the strings above
  uint64_t format = 0;
};

/// A digest differs: the same message for every file.
weft_status failDigest(const File &file);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_MANIFEST_H
