// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes → counts → metadata → entries of tensors → views, once the ranges are seen to lie apart in the data.
#include "frontends/gguf/GgufFile.h"

#include "frontends/gguf/Cursor.h"
#include "frontends/weights/Safetensors.h"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

namespace weft::gguf {
namespace {

constexpr uint64_t kMaxKeyBytes = 65535; ///< the format's own limits
constexpr uint64_t kMaxTensorNameBytes = 64;
constexpr uint32_t kMaxRank = 4;
constexpr uint64_t kDefaultAlignment = 32;
/// More than any file has: pages of 1 GiB are the largest there are.
constexpr uint64_t kMaxAlignment = uint64_t(1) << 30;
constexpr int kMaxArrayDepth = 8;
/// The fewest bytes of an entry: a key of one letter, its type and a byte; a name of one letter, no extents.
constexpr uint64_t kLeastMetadataBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kLeastTensorBytes = 8 + 1 + 4 + 4 + 8;

/// A tensor as the file says, its place counted from the data's start.
struct Entry {
  BlockTensor tensor;
  uint64_t offset;
  uint64_t size;
};

class Parser {
public:
  Parser(std::span<const std::byte> bytes, const std::string &path) : bytes(bytes), cursor(bytes), path(path) {}

  Result<GgufContent> parse();

private:
  Result<void> readHeader();
  Result<void> readMetadata();
  Result<Value> readValue(const std::string &place);
  Result<Value> readArray(const std::string &place, int depth);
  Result<void> checkElements(const Value &array, const std::string &place, int depth);
  Result<std::string_view> readString(uint64_t limit, const std::string &what, const std::string &place);
  Result<uint64_t> readAlignment();
  Result<void> readEntries();
  Result<Entry> readEntry(const std::string &place);
  Result<void> readExtents(Entry &entry, const std::string &place);
  Result<void> placeTensors();
  Result<void> checkApart();

  Diagnostic cutShort(const std::string &what, const std::string &place) const {
    return {"W0150", "the file ends inside " + what, place + ", byte " + std::to_string(cursor.offset()),
            "fetch the file again; it is cut short or damaged"};
  }
  static Diagnostic broken(const char *code, const std::string &what, const std::string &place) {
    return {code, what, place, "fetch the file again; if it stays so, the program that wrote it is at fault"};
  }

  std::span<const std::byte> bytes;
  Cursor cursor;
  const std::string &path;
  GgufContent content;
  uint64_t tensorCount = 0, metadataCount = 0;
  std::deque<Entry> entries; ///< they stay where they are: names are seen in them
};

Result<void> Parser::readHeader() {
  if (!isGguf(bytes))
    return Diagnostic{"W0150", "the file does not begin with GGUF", path, "check that this is a GGUF file"};
  cursor.skip(4);
  std::optional<uint32_t> version = cursor.take<uint32_t>();
  if (!version)
    return cutShort("the version", path);
  content.version = *version;
  if (*version == 1)
    return Diagnostic{"W0151", "the file is GGUF version 1, which no published model has any more", path,
                      "convert the model again with llama.cpp's convert_hf_to_gguf.py, or fetch a newer file"};
  if (*version != 0 && (*version & 0xFFFF) == 0)
    return Diagnostic{"W0151", "the file is big-endian", path,
                      "fetch the little-endian file, or turn it with llama.cpp's gguf_convert_endian.py"};
  if (*version != 2 && *version != 3)
    return Diagnostic{"W0151", "the file is GGUF version " + std::to_string(*version) + "; Weft reads 2 and 3", path,
                      "fetch a file of version 3; a newer version of Weft may read this one"};
  std::optional<uint64_t> tensors = cursor.take<uint64_t>(), values = cursor.take<uint64_t>();
  if (!tensors || !values)
    return cutShort("the counts", path);
  tensorCount = *tensors;
  metadataCount = *values;
  if (metadataCount > cursor.rest() / kLeastMetadataBytes)
    return broken("W0152",
                  "the file would hold " + std::to_string(metadataCount) + " values of metadata, but only " +
                      std::to_string(cursor.rest()) + " bytes follow",
                  path);
  if (tensorCount > cursor.rest() / kLeastTensorBytes)
    return broken("W0152",
                  "the file would hold " + std::to_string(tensorCount) + " tensors, but only " +
                      std::to_string(cursor.rest()) + " bytes follow",
                  path);
  return {};
}

Result<std::string_view> Parser::readString(uint64_t limit, const std::string &what, const std::string &place) {
  std::optional<uint64_t> length = cursor.take<uint64_t>();
  if (!length)
    return cutShort("the length of " + what, place);
  if (*length > limit)
    return broken(
        "W0153", what + " would have " + std::to_string(*length) + " bytes; the format allows " + std::to_string(limit),
        place);
  if (*length > cursor.rest())
    return broken("W0153",
                  what + " would have " + std::to_string(*length) + " bytes, but only " +
                      std::to_string(cursor.rest()) + " follow",
                  place);
  std::span<const std::byte> text = cursor.takeBytes(*length);
  return std::string_view(reinterpret_cast<const char *>(text.data()), text.size());
}

Result<void> Parser::readMetadata() {
  for (uint64_t index = 0; index < metadataCount; ++index) {
    std::string place = path + ", metadata " + std::to_string(index);
    Result<std::string_view> key = readString(kMaxKeyBytes, "the key", place);
    if (!key)
      return key.takeError();
    if (key->empty() || key->find('\0') != std::string_view::npos)
      return broken("W0154", key->empty() ? "a key is empty" : "a key holds a zero byte", place);
    place = path + ", metadata " + printableName(*key);
    Result<Value> value = readValue(place);
    if (!value)
      return value.takeError();
    if (!content.metadata.emplace(*key, *value).second)
      return broken("W0154", "the key occurs twice", place);
  }
  return {};
}

Result<Value> Parser::readValue(const std::string &place) {
  std::optional<uint32_t> type = cursor.take<uint32_t>();
  if (!type)
    return cutShort("a value's type", place);
  Value value{.type = static_cast<ValueType>(*type), .bytes = {}};
  if (valueTypeName(value.type).empty())
    return broken("W0155", "the value has type " + std::to_string(*type) + ", which the format does not have", place);
  if (value.type == ValueType::Array)
    return readArray(place, 1);
  if (value.type == ValueType::String) {
    Result<std::string_view> text = readString(UINT64_MAX, "the text", place);
    if (!text)
      return text.takeError();
    value.bytes = std::as_bytes(std::span(*text));
    return value;
  }
  if (sizeOf(value.type) > cursor.rest())
    return cutShort("a value", place);
  value.bytes = cursor.takeBytes(sizeOf(value.type));
  if (value.type == ValueType::Bool && std::to_integer<int>(value.bytes[0]) > 1)
    return broken("W0155", "the value is of type Bool, and neither 0 nor 1", place);
  return value;
}

Result<Value> Parser::readArray(const std::string &place, int depth) {
  if (depth > kMaxArrayDepth)
    return broken("W0155", "arrays lie in each other more than " + std::to_string(kMaxArrayDepth) + " deep", place);
  std::optional<uint32_t> type = cursor.take<uint32_t>();
  std::optional<uint64_t> count = cursor.take<uint64_t>();
  if (!type || !count)
    return cutShort("an array's type and length", place);
  Value array{ValueType::Array, static_cast<ValueType>(*type), *count, {}};
  if (valueTypeName(array.elementType).empty())
    return broken(
        "W0155", "the array's elements have type " + std::to_string(*type) + ", which the format does not have", place);
  size_t least = sizeOf(array.elementType);
  least = least ? least : array.elementType == ValueType::String ? 8 : 12;
  if (*count > cursor.rest() / least)
    return broken("W0155",
                  "the array would have " + std::to_string(*count) + " elements, but only " +
                      std::to_string(cursor.rest()) + " bytes follow",
                  place);
  uint64_t begin = cursor.offset();
  if (Result<void> checked = checkElements(array, place, depth); !checked)
    return checked.takeError();
  array.bytes = bytes.subspan(begin, cursor.offset() - begin);
  return array;
}

Result<void> Parser::checkElements(const Value &array, const std::string &place, int depth) {
  if (size_t size = sizeOf(array.elementType)) {
    std::span<const std::byte> elements = cursor.takeBytes(size * array.count);
    if (array.elementType == ValueType::Bool &&
        std::ranges::any_of(elements, [](std::byte value) { return std::to_integer<int>(value) > 1; }))
      return broken("W0155", "the array is of Bool, and an element is neither 0 nor 1", place);
    return {};
  }
  for (uint64_t index = 0; index < array.count; ++index) {
    if (array.elementType == ValueType::String) {
      if (Result<std::string_view> text = readString(UINT64_MAX, "element " + std::to_string(index), place); !text)
        return text.takeError();
    } else if (Result<Value> inner = readArray(place, depth + 1); !inner) {
      return inner.takeError();
    }
  }
  return {};
}

Result<uint64_t> Parser::readAlignment() {
  auto found = content.metadata.find("general.alignment");
  if (found == content.metadata.end())
    return kDefaultAlignment;
  std::string place = path + ", metadata \"general.alignment\"";
  std::optional<int64_t> alignment = found->second.integer();
  if (!alignment)
    return broken("W0156", "the alignment is not an integer", place);
  uint64_t value = static_cast<uint64_t>(*alignment);
  if (*alignment <= 0 || (value & (value - 1)) != 0 || value > kMaxAlignment)
    return broken("W0156", "the alignment is " + std::to_string(*alignment) + ", not a power of two from 1 to 2^30",
                  place);
  return value;
}

Result<void> Parser::readExtents(Entry &entry, const std::string &place) {
  std::optional<uint32_t> rank = cursor.take<uint32_t>();
  if (!rank)
    return cutShort("a tensor's rank", place);
  if (*rank > kMaxRank)
    return broken("W0157", "the tensor has " + std::to_string(*rank) + " dimensions, more than 4", place);
  for (uint32_t dim = 0; dim < *rank; ++dim) {
    std::optional<uint64_t> extent = cursor.take<uint64_t>();
    if (!extent)
      return cutShort("a tensor's extents", place);
    if (*extent > static_cast<uint64_t>(INT64_MAX))
      return broken("W0157", "an extent of the tensor is beyond 2^63 - 1", place);
    entry.tensor.shape.insert(entry.tensor.shape.begin(), static_cast<int64_t>(*extent));
  }
  return {};
}

/// Bytes of a tensor; the last extent is of whole blocks.
Result<uint64_t> measure(const BlockTensor &tensor, const std::string &place) {
  uint64_t row = tensor.shape.empty() ? 1 : static_cast<uint64_t>(tensor.shape.back());
  const char *help = "fetch the file again; if it stays so, the program that wrote it is at fault";
  if (row % tensor.format->elements)
    return Diagnostic{"W0157",
                      "rows of " + std::to_string(row) + " elements are no whole blocks of " + tensor.format->name +
                          ", which have " + std::to_string(tensor.format->elements),
                      place, help};
  uint64_t size = tensor.format->bytes;
  bool overflow = __builtin_mul_overflow(size, row / tensor.format->elements, &size);
  for (size_t dim = 0; dim + 1 < tensor.shape.size(); ++dim)
    overflow |= __builtin_mul_overflow(size, static_cast<uint64_t>(tensor.shape[dim]), &size);
  if (overflow)
    return Diagnostic{"W0157", "the shape " + printableShape(tensor.shape) + " has more elements than can be counted",
                      place, help};
  return size;
}

Result<Entry> Parser::readEntry(const std::string &number) {
  Result<std::string_view> name = readString(kMaxTensorNameBytes, "the tensor's name", number);
  if (!name)
    return name.takeError();
  if (name->empty() || name->find('\0') != std::string_view::npos)
    return broken("W0154", name->empty() ? "a tensor has an empty name" : "a tensor's name holds a zero byte", number);
  std::string place = path + ", tensor " + printableName(*name);
  Entry entry{{std::string(*name), nullptr, {}, {}}, 0, 0};
  if (Result<void> extents = readExtents(entry, place); !extents)
    return extents.takeError();
  std::optional<uint32_t> type = cursor.take<uint32_t>();
  std::optional<uint64_t> offset = cursor.take<uint64_t>();
  if (!type || !offset)
    return cutShort("a tensor's type and place", place);
  entry.tensor.format = findBlockFormat(*type);
  if (!entry.tensor.format) {
    std::string known = blockFormatName(*type);
    return Diagnostic{"W0158",
                      known.empty() ? "the tensor has type " + std::to_string(*type) + ", which nobody knows"
                                    : "the tensor is of type " + known + ", which Weft does not read",
                      place, "fetch the model in another type, such as Q4_K_M, Q8_0 or BF16"};
  }
  Result<uint64_t> size = measure(entry.tensor, place);
  if (!size)
    return size.takeError();
  entry.offset = *offset;
  entry.size = *size;
  return entry;
}

Result<void> Parser::readEntries() {
  std::set<std::string_view> names;
  for (uint64_t index = 0; index < tensorCount; ++index) {
    Result<Entry> entry = readEntry(path + ", tensor " + std::to_string(index));
    if (!entry)
      return entry.takeError();
    entries.push_back(std::move(*entry));
    if (!names.insert(entries.back().tensor.name).second)
      return broken("W0154", "two tensors have this name",
                    path + ", tensor " + printableName(entries.back().tensor.name));
  }
  return {};
}

Result<void> Parser::placeTensors() {
  Result<uint64_t> alignment = readAlignment();
  if (!alignment)
    return alignment.takeError();
  uint64_t begin = (cursor.offset() + *alignment - 1) / *alignment * *alignment;
  uint64_t dataBytes = begin < bytes.size() ? bytes.size() - begin : 0;
  for (Entry &entry : entries) {
    std::string place = path + ", tensor " + printableName(entry.tensor.name);
    if (entry.offset % *alignment)
      return broken("W0156",
                    "the tensor begins at byte " + std::to_string(entry.offset) +
                        " of the data, no multiple of the alignment " + std::to_string(*alignment),
                    place);
    if (entry.offset > dataBytes || entry.size > dataBytes - entry.offset)
      return Diagnostic{"W0159",
                        "the tensor would be " + std::to_string(entry.size) + " bytes from byte " +
                            std::to_string(entry.offset) + ", but the file holds only " + std::to_string(dataBytes) +
                            " bytes of data",
                        place, "fetch the file again; it is cut short or damaged"};
    entry.tensor.bytes = entry.size ? bytes.subspan(begin + entry.offset, entry.size) : std::span<const std::byte>();
  }
  return checkApart();
}

Result<void> Parser::checkApart() {
  std::vector<const Entry *> sorted;
  for (const Entry &entry : entries)
    if (entry.size)
      sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, [](const Entry *entry) { return std::tuple(entry->offset, entry->size); });
  for (size_t index = 1; index < sorted.size(); ++index) {
    const Entry &before = *sorted[index - 1], &entry = *sorted[index];
    if (entry.offset < before.offset + before.size)
      return broken("W0159", "the data overlaps that of " + printableName(before.tensor.name),
                    path + ", tensor " + printableName(entry.tensor.name));
  }
  return {};
}

Result<GgufContent> Parser::parse() {
  for (auto step : {&Parser::readHeader, &Parser::readMetadata, &Parser::readEntries, &Parser::placeTensors})
    if (Result<void> done = (this->*step)(); !done)
      return done.takeError();
  for (Entry &entry : entries)
    content.tensors.push_back(std::move(entry.tensor));
  return std::move(content);
}

} // namespace

bool isGguf(std::span<const std::byte> bytes) { return bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0; }

Result<GgufContent> parseGguf(std::span<const std::byte> bytes, const std::string &place) {
  return Parser(bytes, place).parse();
}

Result<GgufFile> GgufFile::open(const std::filesystem::path &path) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  Result<GgufContent> content = parseGguf(file->bytes(), path.string());
  if (!content)
    return content.takeError();
  return GgufFile(std::move(*file), std::move(*content), path.string());
}

} // namespace weft::gguf
