// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes → header text → entries (name, dtype, shape, range) → views, once the ranges are seen to tile the data.
#include "frontends/weights/Safetensors.h"

#include "frontends/diagnostic/StrictJson.h"
#include "frontends/weights/ForeignContent.h"

#include <algorithm>

namespace weft {
namespace {

using nlohmann::json;

/// Root, tensor, shape: three levels; a few more for fields that a later format may add.
constexpr size_t kMaxHeaderDepth = 8;

const char *const kFetchAgain = "fetch the file again; it may be cut short or damaged";
const char *const kWriteAgain =
    "the program that wrote the file is at fault; write it again with the safetensors library";

/// A tensor as the header says, with begin <= end <= the data's size.
struct Entry {
  std::string name;
  DType dtype;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

struct Header {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

/// Checks one entry of the header after the other; each function refuses with the place of the entry.
class HeaderReader {
public:
  HeaderReader(const std::string &path, uint64_t dataBytes) : path(path), dataBytes(dataBytes) {}

  Result<Header> read(std::string_view text);

private:
  Result<Entry> readEntry(const std::string &name, const json &fields);
  Result<DType> readDType(const json &fields);
  Result<std::vector<int64_t>> readShape(const json &fields);
  Result<void> readRange(const json &fields, Entry &entry);
  Result<void> checkExtent(const Entry &entry);
  Result<std::map<std::string, std::string>> readMetadata(const json &value);

  Diagnostic malformed(const std::string &what) const { return {"W0121", what, place, kWriteAgain}; }

  const std::string &path;
  uint64_t dataBytes;
  std::string place;
};

Result<Header> HeaderReader::read(std::string_view text) {
  place = path;
  if (!text.starts_with('{'))
    return malformed("the header does not begin with '{'");
  Result<json> root = parseStrictJson(text, path + ", header", kMaxHeaderDepth);
  if (!root)
    return root.takeError();
  if (!root->is_object())
    return malformed("the header is not a JSON object");
  Header header;
  for (const auto &[name, value] : root->items()) {
    if (name == "__metadata__") {
      Result<std::map<std::string, std::string>> metadata = readMetadata(value);
      if (!metadata)
        return metadata.takeError();
      header.metadata = std::move(*metadata);
      continue;
    }
    Result<Entry> entry = readEntry(name, value);
    if (!entry)
      return entry.takeError();
    header.entries.push_back(std::move(*entry));
  }
  return header;
}

Result<std::map<std::string, std::string>> HeaderReader::readMetadata(const json &value) {
  place = path + ", __metadata__";
  if (!value.is_object())
    return malformed("__metadata__ is not an object of strings");
  std::map<std::string, std::string> metadata;
  for (const auto &[key, text] : value.items()) {
    if (!text.is_string())
      return malformed("the metadata " + printableName(key) + " is not a string");
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

Result<Entry> HeaderReader::readEntry(const std::string &name, const json &fields) {
  place = path + ", tensor " + printableName(name);
  if (name.empty() || name.find('\0') != std::string::npos)
    return Diagnostic{"W0127", name.empty() ? "a tensor has an empty name" : "a tensor's name holds a zero byte", place,
                      kWriteAgain};
  if (!fields.is_object())
    return malformed("the tensor is not described by an object with dtype, shape and data_offsets");
  Result<DType> dtype = readDType(fields);
  if (!dtype)
    return dtype.takeError();
  Result<std::vector<int64_t>> shape = readShape(fields);
  if (!shape)
    return shape.takeError();
  Entry entry{name, *dtype, std::move(*shape), 0, 0};
  if (Result<void> range = readRange(fields, entry); !range)
    return range.takeError();
  if (Result<void> extent = checkExtent(entry); !extent)
    return extent.takeError();
  return entry;
}

Result<DType> HeaderReader::readDType(const json &fields) {
  auto field = fields.find("dtype");
  if (field == fields.end() || !field->is_string())
    return malformed("the dtype is missing or not a string");
  std::string name = field->get<std::string>();
  if (std::optional<DType> dtype = dtypeFromName(name))
    return *dtype;
  return Diagnostic{"W0122", "unknown dtype " + printableName(name), place,
                    "store the weights as F32, F16 or BF16; a newer version of Weft may know this dtype"};
}

Result<std::vector<int64_t>> HeaderReader::readShape(const json &fields) {
  auto field = fields.find("shape");
  if (field == fields.end() || !field->is_array())
    return malformed("the shape is missing or not an array");
  if (field->size() > kMaxTensorRank)
    return Diagnostic{"W0123",
                      "the shape has " + std::to_string(field->size()) + " dimensions, more than " +
                          std::to_string(kMaxTensorRank),
                      place, kWriteAgain};
  std::vector<int64_t> shape;
  for (const json &extent : *field) {
    if (!extent.is_number_unsigned() || extent.get<uint64_t>() > INT64_MAX)
      return Diagnostic{"W0123", "an extent of the shape is not an integer from 0 to 2^63 - 1", place, kWriteAgain};
    shape.push_back(extent.get<int64_t>());
  }
  return shape;
}

Result<void> HeaderReader::readRange(const json &fields, Entry &entry) {
  auto field = fields.find("data_offsets");
  if (field == fields.end() || !field->is_array() || field->size() != 2 || !(*field)[0].is_number_unsigned() ||
      !(*field)[1].is_number_unsigned())
    return malformed("data_offsets is missing or not two integers from 0");
  entry.begin = (*field)[0].get<uint64_t>();
  entry.end = (*field)[1].get<uint64_t>();
  std::string range = std::to_string(entry.begin) + " to " + std::to_string(entry.end);
  if (entry.begin > entry.end)
    return Diagnostic{"W0124", "the data would end before it begins: bytes " + range, place, kWriteAgain};
  if (entry.end > dataBytes)
    return Diagnostic{"W0124",
                      "the data would be bytes " + range + ", but the file holds only " + std::to_string(dataBytes) +
                          " bytes of data",
                      place, kFetchAgain};
  return {};
}

Result<void> HeaderReader::checkExtent(const Entry &entry) {
  uint64_t bits = bitsPerElement(entry.dtype);
  for (int64_t extent : entry.shape)
    if (__builtin_mul_overflow(bits, static_cast<uint64_t>(extent), &bits))
      return Diagnostic{"W0123", "the shape " + printableShape(entry.shape) + " has more elements than can be counted",
                        place, kWriteAgain};
  if (bits % 8 == 0 && bits / 8 == entry.end - entry.begin)
    return {};
  return Diagnostic{"W0125",
                    "the shape " + printableShape(entry.shape) + " of " + std::string(dtypeName(entry.dtype)) +
                        " needs " + std::to_string(bits / 8) + (bits % 8 ? " bytes and a part" : " bytes") +
                        ", but data_offsets gives it " + std::to_string(entry.end - entry.begin),
                    place, kWriteAgain};
}

/// Sorts the entries by place and sees that they cover the data without overlap, hole or rest.
Result<void> checkTiling(std::vector<Entry> &entries, uint64_t dataBytes, const std::string &path) {
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t covered = 0;
  for (const Entry &entry : entries) {
    if (entry.begin != covered)
      return Diagnostic{"W0126",
                        entry.begin < covered ? "the data overlaps another tensor's from byte " +
                                                    std::to_string(entry.begin) + " to " + std::to_string(covered)
                                              : "bytes " + std::to_string(covered) + " to " +
                                                    std::to_string(entry.begin) + " before it belong to no tensor",
                        path + ", tensor " + printableName(entry.name), kWriteAgain};
    covered = entry.end;
  }
  if (covered != dataBytes)
    return Diagnostic{"W0126",
                      "the last " + std::to_string(dataBytes - covered) + " bytes of the file belong to no tensor",
                      path, kWriteAgain};
  return {};
}

/// The length that the first eight bytes give, once the file is seen to hold so much.
Result<uint64_t> headerLength(std::span<const std::byte> bytes, const std::string &path) {
  if (bytes.size() < 8)
    return Diagnostic{"W0120",
                      "the file has " + std::to_string(bytes.size()) + " bytes; a safetensors file has at least 8",
                      path, kFetchAgain};
  uint64_t length = 0;
  for (int index = 7; index >= 0; --index)
    length = length << 8 | std::to_integer<uint64_t>(bytes[index]);
  if (length > kMaxSafetensorsHeader) {
    if (std::optional<Diagnostic> foreign = recogniseForeignContent(bytes, path))
      return std::move(*foreign);
    return Diagnostic{"W0120",
                      "the header would have " + std::to_string(length) + " bytes; the format allows " +
                          std::to_string(kMaxSafetensorsHeader),
                      path, "check that this is a safetensors file, and fetch it again"};
  }
  if (length > bytes.size() - 8)
    return Diagnostic{"W0120",
                      "the header would have " + std::to_string(length) + " bytes, but only " +
                          std::to_string(bytes.size() - 8) + " follow",
                      path, kFetchAgain};
  return length;
}

} // namespace

uint64_t TensorView::elements() const {
  if (!computed)
    return bytes.size() * 8 / bitsPerElement(dtype);
  uint64_t count = 1;
  for (int64_t extent : shape)
    count *= static_cast<uint64_t>(extent);
  return count;
}

Result<SafetensorsContent> parseSafetensors(std::span<const std::byte> bytes, const std::string &place) {
  Result<uint64_t> length = headerLength(bytes, place);
  if (!length)
    return length.takeError();
  std::string_view text(reinterpret_cast<const char *>(bytes.data()) + 8, *length);
  std::span<const std::byte> data = bytes.subspan(8 + *length);
  Result<Header> header = HeaderReader(place, data.size()).read(text);
  if (!header)
    return header.takeError();
  if (Result<void> tiling = checkTiling(header->entries, data.size(), place); !tiling)
    return tiling.takeError();
  SafetensorsContent content{{}, std::move(header->metadata)};
  content.tensors.reserve(header->entries.size());
  for (Entry &entry : header->entries)
    content.tensors.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                               data.subspan(entry.begin, entry.end - entry.begin)});
  return content;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path &path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  Result<SafetensorsContent> content = parseSafetensors(file->bytes(), path.string());
  if (!content)
    return content.takeError();
  return SafetensorsFile(std::move(*file), std::move(*content));
}

SafetensorsFile::SafetensorsFile(MappedFile file, SafetensorsContent content)
    : file(std::move(file)), content(std::move(content)) {
  for (size_t index = 0; index < tensors().size(); ++index)
    byName.emplace(tensors()[index].name, index);
}

const TensorView *SafetensorsFile::find(std::string_view name) const {
  auto found = byName.find(name);
  return found == byName.end() ? nullptr : &tensors()[found->second];
}

std::string printableName(std::string_view name) {
  constexpr size_t kLongest = 200;
  std::string result = "\"";
  for (char character : name.substr(0, kLongest))
    result += static_cast<unsigned char>(character) < 0x20 || character == 0x7F ? '?' : character;
  return result + (name.size() > kLongest ? "…\"" : "\"");
}

std::string printableShape(std::span<const int64_t> shape) {
  std::string result = "[";
  for (int64_t extent : shape)
    result += (result.size() > 1 ? ", " : "") + std::to_string(extent);
  return result + "]";
}

} // namespace weft
