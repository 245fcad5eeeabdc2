// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Npz.h"

#include "tools/weft/Npy.h"

#include <memory>
#include <set>
#include <zip.h>

namespace weft::cli {
namespace {

constexpr std::string_view kSuffix = ".npy";

struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

Diagnostic malformed(const std::string &what, const std::string &place) {
  return {"W0505", what, place, "write it with numpy.savez"};
}

std::string messageOf(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

Result<std::vector<std::byte>> readMember(zip_t *archive, uint64_t index, const zip_stat_t &stat,
                                          const std::string &place) {
  zip_file_t *file = zip_fopen_index(archive, index, 0);
  if (!file)
    return malformed(std::string("an array cannot be read: ") + zip_strerror(archive), place);
  // Grown as the data comes: a member may claim more than the archive has.
  constexpr size_t kPiece = 1 << 20;
  std::vector<std::byte> bytes;
  bool complete = false;
  while (bytes.size() <= stat.size) {
    size_t before = bytes.size();
    bytes.resize(before + kPiece);
    zip_int64_t got = zip_fread(file, bytes.data() + before, kPiece);
    bytes.resize(before + std::max<zip_int64_t>(got, 0));
    complete = got == 0;
    if (got <= 0)
      break;
  }
  // Closing compares the checksum.
  bool intact = zip_fclose(file) == 0;
  if (!complete || !intact || bytes.size() != stat.size)
    return malformed("an array is damaged", place);
  return bytes;
}

} // namespace

Result<std::vector<Array>> readNpz(const std::string &path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!archive)
    return malformed("the file is no .npz archive: " + messageOf(code), path);
  std::vector<Array> arrays;
  std::set<std::string> names;
  uint64_t total = 0;
  for (zip_int64_t index = 0; index < zip_get_num_entries(archive.get(), 0); ++index) {
    zip_stat_t stat;
    constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE;
    if (zip_stat_index(archive.get(), index, 0, &stat) != 0 || (stat.valid & kNeeded) != kNeeded)
      return malformed("the archive's directory is damaged", path);
    std::string name = stat.name;
    if (!name.ends_with(kSuffix))
      return malformed("the archive holds a member that is no array: " + name.substr(0, 100), path);
    name.resize(name.size() - kSuffix.size());
    std::string place = path + ", array " + name.substr(0, 100);
    if (!names.insert(name).second)
      return malformed("the archive holds two arrays of one name", place);
    if (stat.size > kMaxNpzBytes || (total += stat.size) > kMaxNpzBytes)
      return malformed("the archive holds more than 4 GB", place);
    Result<std::vector<std::byte>> bytes = readMember(archive.get(), index, stat, place);
    if (!bytes)
      return bytes.takeError();
    Result<Array> array = parseNpy(*bytes, name, place);
    if (!array)
      return array.takeError();
    arrays.push_back(std::move(*array));
  }
  return arrays;
}

Result<void> writeNpz(const std::string &path, const std::vector<Array> &arrays) {
  auto failed = [&](const std::string &why) {
    return Diagnostic{"W0509", "the file cannot be written: " + why, path,
                      "check the folder, its permissions and the disk"};
  };
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  if (!archive)
    return failed(messageOf(code));
  std::vector<std::string> files; // until the archive is closed
  for (const Array &array : arrays)
    files.push_back(npyBytes(array));
  for (size_t index = 0; index < arrays.size(); ++index) {
    zip_source_t *source = zip_source_buffer(archive.get(), files[index].data(), files[index].size(), 0);
    std::string name = arrays[index].name + std::string(kSuffix);
    zip_int64_t added = source ? zip_file_add(archive.get(), name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    if (added < 0)
      return failed(zip_strerror(archive.get()));
    zip_set_file_compression(archive.get(), added, ZIP_CM_STORE, 0);
  }
  // Closing writes a temporary file and renames it.
  if (zip_close(archive.get()) != 0)
    return failed(zip_strerror(archive.get()));
  archive.release();
  return {};
}

} // namespace weft::cli
