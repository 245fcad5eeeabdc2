// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/ptxsim/command/ArrayFile.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <zip.h>

namespace weft::ptxsim {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxBytes = size_t(4) << 30;

struct Discard {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

[[noreturn]] void malformed(const std::string &path, const std::string &what) {
  throw UserMistake{path + ": " + what + ": write it with numpy.savez"};
}

/// The text between `open` and `close` after `key` in the header's dictionary.
std::string_view valueOf(std::string_view header, std::string_view key, char open, char close) {
  size_t at = header.find(key);
  size_t begin = at == std::string_view::npos ? at : header.find(open, at + key.size());
  size_t end = begin == std::string_view::npos ? begin : header.find(close, begin + 1);
  return end == std::string_view::npos ? std::string_view() : header.substr(begin + 1, end - begin - 1);
}

std::vector<int64_t> parseShape(std::string_view text) {
  std::vector<int64_t> shape;
  const char *at = text.data(), *end = at + text.size();
  while (at < end) {
    int64_t extent = 0;
    auto [after, error] = std::from_chars(at, end, extent);
    if (error == std::errc())
      shape.push_back(extent);
    at = error == std::errc() ? after : at + 1;
  }
  return shape;
}

ArrayData parseArray(std::string_view bytes, const std::string &place) {
  if (bytes.size() < 12 || !bytes.starts_with(kMagic))
    malformed(place, "this is no array that NumPy wrote");
  size_t lengthBytes = bytes[6] == 1 ? 2 : 4, length = 0;
  std::memcpy(&length, bytes.data() + 8, lengthBytes);
  size_t data = 8 + lengthBytes + length;
  if (length > 65536 || data > bytes.size())
    malformed(place, "the header is cut short");
  std::string_view header = bytes.substr(8 + lengthBytes, length);
  ArrayData array;
  array.type = std::string(valueOf(header, "'descr':", '\'', '\''));
  array.shape = parseShape(valueOf(header, "'shape':", '(', ')'));
  if (header.find("'fortran_order': True") != std::string_view::npos && array.shape.size() > 1)
    malformed(place, "the array is in Fortran's order");
  if (array.type.size() < 3 || (array.type[0] != '<' && array.type[0] != '|') || array.elementBytes() == 0)
    malformed(place, "arrays of type '" + array.type + "' are not taken");
  size_t wanted = array.elementBytes();
  for (int64_t extent : array.shape)
    if (__builtin_mul_overflow(wanted, size_t(extent), &wanted) || wanted > kMaxBytes)
      malformed(place, "the array is too large");
  if (bytes.size() - data != wanted)
    malformed(place, "the data are not as long as the shape says");
  const auto *begin = reinterpret_cast<const std::byte *>(bytes.data()) + data;
  array.bytes.assign(begin, begin + wanted);
  return array;
}

std::string arrayText(const ArrayData &array) {
  std::string shape;
  for (int64_t extent : array.shape)
    shape.append(std::to_string(extent)).append(", ");
  std::string header = "{'descr': '" + array.type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string text(kMagic);
  text += {1, 0, char(header.size() & 255), char(header.size() >> 8)};
  text += header;
  text.append(reinterpret_cast<const char *>(array.bytes.data()), array.bytes.size());
  return text;
}

} // namespace

size_t ArrayData::elementBytes() const { return size_t(std::strtoul(type.c_str() + 2, nullptr, 10)); }

std::map<std::string, ArrayData> readArchive(const std::string &path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive)
    malformed(path, "the file is no .npz archive");
  std::map<std::string, ArrayData> arrays;
  for (zip_int64_t index = 0; index < zip_get_num_entries(archive.get(), 0); ++index) {
    zip_stat_t stat;
    if (zip_stat_index(archive.get(), zip_uint64_t(index), 0, &stat) != 0 || stat.size > kMaxBytes)
      malformed(path, "the archive's directory is damaged");
    std::string name = stat.name, bytes(stat.size, '\0');
    zip_file_t *file = zip_fopen_index(archive.get(), zip_uint64_t(index), 0);
    zip_int64_t got = file ? zip_fread(file, bytes.data(), stat.size) : -1;
    if (!file || zip_fclose(file) != 0 || got != zip_int64_t(stat.size))
      malformed(path, name + " is damaged");
    if (name.ends_with(".npy"))
      name.resize(name.size() - 4);
    arrays[name] = parseArray(bytes, path + ", array " + name);
  }
  return arrays;
}

void writeArchive(const std::string &path, const std::map<std::string, ArrayData> &arrays) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
  std::vector<std::string> files; // until the archive is closed
  files.reserve(arrays.size());
  for (const auto &[name, array] : arrays)
    files.push_back(arrayText(array));
  size_t index = 0;
  for (const auto &[name, array] : arrays) {
    zip_source_t *source =
        archive ? zip_source_buffer(archive.get(), files[index].data(), files[index].size(), 0) : nullptr;
    ++index;
    if (!source || zip_file_add(archive.get(), (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) < 0)
      throw UserMistake{path + ": the file cannot be written: check the folder and the disk"};
  }
  if (!archive || zip_close(archive.get()) != 0)
    throw UserMistake{path + ": the file cannot be written: check the folder and the disk"};
  (void)archive.release();
}

} // namespace weft::ptxsim
