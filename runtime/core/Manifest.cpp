// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Manifest.h"

#include "runtime/core/Digest.h"

#include <cstring>

namespace weft::runtime {

static const char *const kCopyAgain = "the artifact is damaged: copy it again, or make it again with `weft "
                                      "compile`";

namespace {
/// The members of an object, each of which must come exactly once.
class Members {
public:
  /// True when the key is this member; a second one fails the walk.
  bool is(JsonReader &reader, std::string_view key, std::string_view name, unsigned bit) {
    if (key != name)
      return false;
    if (seen & bit)
      reader.reject("a key comes twice");
    seen |= bit;
    return true;
  }
  void requireAll(JsonReader &reader, unsigned bits, const char *reason) {
    if (!reader.error() && (seen & bits) != bits)
      reader.reject(reason);
  }

private:
  unsigned seen = 0;
};
} // namespace

weft_status Manifest::read(const Directory &directory) {
  File file;
  if (weft_status status = file.open(directory, kFileName))
    return status;
  if (file.size > kMaxBytes)
    return fail(kManifestMalformed, file.place(), kCopyAgain, "the manifest is larger than %llu bytes",
                static_cast<unsigned long long>(kMaxBytes));
  text = Array<char>(file.size);
  if (!text)
    return failOutOfMemory(kFileName, file.size);
  if (weft_status status = file.read(text.get(), 0, file.size))
    return status;
  reader = JsonReader({text.get(), file.size});
  readMembers(reader);
  if (isOutOfMemory)
    return failOutOfMemory(kFileName, size_t(fileRoom) * 2 * sizeof(ManifestFile));
  if (reader.error())
    return fail(kManifestMalformed, file.place(reader.offset()), kCopyAgain, "the manifest is malformed: %s",
                reader.error());
  return checkAbi(file.place());
}

void Manifest::readMembers(JsonReader &reader) {
  Members members;
  std::string_view key;
  reader.enterObject();
  while (reader.nextKey(key)) {
    if (members.is(reader, key, "format", 1))
      reader.readUnsigned(format);
    else if (members.is(reader, key, "abi", 2))
      readAbi(reader);
    else if (members.is(reader, key, "compiler", 4))
      reader.readString(compiler);
    else if (members.is(reader, key, "model", 8))
      reader.readString(model);
    else if (members.is(reader, key, "targets", 16))
      readTargets(reader);
    else if (members.is(reader, key, "files", 32))
      readFiles(reader);
    else
      reader.skipValue();
  }
  reader.atEnd();
  members.requireAll(reader, 63, "format, abi, compiler, model, targets or files is missing");
}

void Manifest::readAbi(JsonReader &reader) {
  Members members;
  std::string_view key;
  reader.enterObject();
  while (reader.nextKey(key)) {
    if (members.is(reader, key, "major", 1))
      reader.readUnsigned(abiMajor);
    else if (members.is(reader, key, "minor", 2))
      reader.readUnsigned(abiMinor);
    else
      reader.skipValue();
  }
  members.requireAll(reader, 3, "abi lacks major or minor");
}

void Manifest::readTargets(JsonReader &reader) {
  reader.enterArray();
  while (reader.nextElement()) {
    if (targetCount == kMaxTargets) {
      reader.reject("there are too many targets");
      return;
    }
    reader.readString(targets[targetCount++]);
  }
}

void Manifest::readFiles(JsonReader &reader) {
  std::string_view name;
  reader.enterObject();
  while (reader.nextKey(name))
    readFile(reader, name);
  if (!reader.error() && (!find("model.so") || !find("weights.safetensors")))
    reader.reject("files lacks model.so or weights.safetensors");
}

/// A plain name, in at most two folders of plain names: nothing that leads out of the artifact.
static bool isFileName(std::string_view name) {
  if (name.size() >= sizeof(ManifestFile::name))
    return false;
  for (int depth = 0; depth <= 2; ++depth) {
    size_t slash = name.find('/');
    std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return false;
    if (slash == std::string_view::npos)
      return true;
    name.remove_prefix(slash + 1);
  }
  return false;
}

/// Room for a file more.
bool Manifest::grow() {
  if (fileCount < fileRoom)
    return true;
  int room = fileRoom ? fileRoom * 2 : 16;
  Array<ManifestFile> larger{size_t(room)};
  isOutOfMemory = !larger;
  if (isOutOfMemory)
    return false;
  for (int i = 0; i < fileCount; ++i)
    larger[size_t(i)] = files[size_t(i)];
  files = static_cast<Array<ManifestFile> &&>(larger);
  fileRoom = room;
  return true;
}

static bool isDigest(std::string_view text) {
  for (char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
      return false;
  return text.size() == sizeof(Digest::text) - 1;
}

void Manifest::readFile(JsonReader &reader, std::string_view name) {
  if (!isFileName(name) || find(name) || fileCount == kMaxFiles) {
    reader.reject(find(name)               ? "a file is listed twice"
                  : fileCount == kMaxFiles ? "there are too many files"
                                           : "a file's name is not plain");
    return;
  }
  if (!grow()) {
    reader.reject("memory is out");
    return;
  }
  ManifestFile &file = files[fileCount];
  Members members;
  std::string_view key;
  reader.enterObject();
  while (reader.nextKey(key)) {
    if (members.is(reader, key, "bytes", 1))
      reader.readUnsigned(file.bytes);
    else if (members.is(reader, key, "xxh3", 2))
      reader.readString(file.digest);
    else
      reader.skipValue();
  }
  members.requireAll(reader, 3, "a file lacks bytes or xxh3");
  if (!reader.error() && !isDigest(file.digest))
    reader.reject("xxh3 is not 32 lower-case hexadecimal digits");
  memcpy(file.name, name.data(), name.size());
  ++fileCount;
}

weft_status Manifest::checkAbi(const Place &place) const {
  static const char *const kUpdate = "compile the model again with a compiler of this runtime's version, or "
                                     "install the runtime that the compiler came with";
  if (format != kFormat)
    return fail(kAbiDiffers, place, kUpdate, "the artifact has format %llu, this runtime reads format %llu",
                static_cast<unsigned long long>(format), static_cast<unsigned long long>(kFormat));
  if (abiMajor != WEFT_ABI_MAJOR || abiMinor > WEFT_ABI_MINOR)
    return fail(kAbiDiffers, place, kUpdate,
                "the model has ABI %llu.%llu (made by %.*s), this runtime has "
                "ABI %d.%d (weft %s)",
                static_cast<unsigned long long>(abiMajor), static_cast<unsigned long long>(abiMinor),
                static_cast<int>(compiler.size() < 99 ? compiler.size() : 99), compiler.data(), WEFT_ABI_MAJOR,
                WEFT_ABI_MINOR, weft_version());
  return WEFT_OK;
}

const ManifestFile *Manifest::find(std::string_view name) const {
  for (int i = 0; i < fileCount; ++i)
    if (name == files[i].name)
      return &files[i];
  return nullptr;
}

weft_status Manifest::open(const Directory &directory, const ManifestFile &listed, File &file) const {
  if (weft_status status = file.open(directory, listed.name))
    return status;
  if (file.size != listed.bytes)
    return fail(kLengthDiffers, file.place(), kCopyAgain, "the file has %llu bytes, the manifest says %llu",
                static_cast<unsigned long long>(file.size), static_cast<unsigned long long>(listed.bytes));
  return WEFT_OK;
}

weft_status failDigest(const File &file) {
  return fail(kDigestDiffers, file.place(), kCopyAgain, "the file's content is not what the manifest's digest says");
}

} // namespace weft::runtime
