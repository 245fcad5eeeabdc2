// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Npy.h"

#include <cctype>
#include <charconv>
#include <optional>

namespace weft::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct TypeName {
  std::string_view name; ///< NumPy's, little-endian
  ElementType type;
};
constexpr TypeName kTypes[] = {
    {"<f4", ElementType::F32}, {"<f8", ElementType::F64}, {"<f2", ElementType::F16},
    {"<i8", ElementType::I64}, {"<i4", ElementType::I32}, {"<i2", ElementType::I16},
    {"|i1", ElementType::I8},  {"|u1", ElementType::U8},  {"|b1", ElementType::Bool},
};

Diagnostic malformed(const std::string &what, const std::string &place,
                     const std::string &help = "write it with numpy.save or numpy.savez") {
  return {"W0505", what, place, help};
}

/// Reads {'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), } and nothing else.
class DictionaryReader {
public:
  explicit DictionaryReader(std::string_view text) : text(text) {}

  bool read() {
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::optional<std::string_view> key = quoted();
      if (!key || !take(':') || !value(*key))
        return false;
      take(',');
    }
    skipSpace();
    return position == text.size() && descr && shape && fortran;
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran;
  std::optional<std::vector<int64_t>> shape;

private:
  void skipSpace() {
    while (position < text.size() && std::isspace(static_cast<unsigned char>(text[position])))
      ++position;
  }
  bool take(char wanted) {
    skipSpace();
    bool found = position < text.size() && text[position] == wanted;
    position += found;
    return found;
  }
  bool takeWord(std::string_view word) {
    skipSpace();
    bool found = text.substr(position).starts_with(word);
    position += found ? word.size() : 0;
    return found;
  }
  std::optional<std::string_view> quoted() {
    if (!take('\''))
      return std::nullopt;
    size_t end = text.find('\'', position);
    if (end == std::string_view::npos)
      return std::nullopt;
    std::string_view inside = text.substr(position, end - position);
    position = end + 1;
    return inside;
  }
  bool value(std::string_view key) {
    if (key == "descr")
      return !descr && (descr = quoted());
    if (key == "shape")
      return !shape && (shape = tuple());
    if (key != "fortran_order" || fortran)
      return false;
    fortran = takeWord("True");
    return *fortran || takeWord("False");
  }
  std::optional<std::vector<int64_t>> tuple() {
    std::vector<int64_t> extents;
    if (!take('('))
      return std::nullopt;
    while (!take(')')) {
      skipSpace();
      int64_t extent;
      auto [end, error] = std::from_chars(text.data() + position, text.data() + text.size(), extent);
      if (error != std::errc() || extent < 0 || extents.size() == 32)
        return std::nullopt;
      position = end - text.data();
      extents.push_back(extent);
      take(',');
    }
    return extents;
  }

  std::string_view text;
  size_t position = 0;
};

std::optional<ElementType> typeOf(std::string_view descr) {
  for (const TypeName &known : kTypes)
    if (known.name == descr)
      return known.type;
  return std::nullopt;
}

/// Where the dictionary lies: the format's version decides how its length is written.
std::optional<std::string_view> dictionaryText(std::string_view text) {
  if (text.size() < 12 || !text.starts_with(kMagic) || text[6] < 1 || text[6] > 3)
    return std::nullopt;
  size_t lengthBytes = text[6] == 1 ? 2 : 4, length = 0;
  for (size_t index = 0; index < lengthBytes; ++index)
    length |= size_t(static_cast<unsigned char>(text[8 + index])) << (8 * index);
  if (length > kMaxNpyHeader || 8 + lengthBytes + length > text.size())
    return std::nullopt;
  return text.substr(8 + lengthBytes, length);
}

} // namespace

Result<NpyHeader> parseNpyHeader(std::span<const std::byte> bytes, const std::string &place) {
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  std::optional<std::string_view> dictionary = dictionaryText(text);
  if (!dictionary)
    return malformed("this is no array that NumPy wrote, or it is cut short", place);
  DictionaryReader reader(*dictionary);
  if (!reader.read())
    return malformed("the header of the array is malformed", place);
  std::optional<ElementType> type = typeOf(*reader.descr);
  if (!type)
    return malformed("arrays of type '" + std::string(reader.descr->substr(0, 16)) + "' are not taken", place,
                     "convert it: a.astype('int64'), a.astype('float32'); Python objects are never read");
  if (*reader.fortran && reader.shape->size() > 1)
    return malformed("the array is in Fortran's order", place, "save numpy.ascontiguousarray(a)");
  NpyHeader header{*type, *reader.shape, static_cast<size_t>(dictionary->end() - text.begin()), elementSize(*type)};
  for (int64_t extent : header.shape)
    if (__builtin_mul_overflow(header.dataBytes, static_cast<size_t>(extent), &header.dataBytes) ||
        header.dataBytes > size_t(1) << 48)
      return malformed("the array is too large", place, "its shape asks for more memory than there is");
  return header;
}

Result<Array> parseNpy(std::span<const std::byte> bytes, const std::string &name, const std::string &place) {
  Result<NpyHeader> header = parseNpyHeader(bytes, place);
  if (!header)
    return header.takeError();
  if (bytes.size() - header->dataOffset != header->dataBytes)
    return malformed("the array's data has " + std::to_string(bytes.size() - header->dataOffset) +
                         " bytes, its shape asks for " + std::to_string(header->dataBytes),
                     place);
  Array array{name, header->type, header->shape, {}};
  array.bytes.assign(bytes.begin() + header->dataOffset, bytes.end());
  return array;
}

std::string npyBytes(const Array &array) {
  std::string shape;
  for (int64_t extent : array.shape)
    shape += std::to_string(extent) + ", ";
  if (array.shape.size() > 1)
    shape.resize(shape.size() - 2);
  std::string_view descr = "<V2"; // bf16, which NumPy has no name for
  for (const TypeName &known : kTypes)
    if (known.type == array.type)
      descr = known.name;
  std::string header = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // The data begins at a multiple of 64; the header ends in a newline.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string bytes(kMagic);
  bytes += {1, 0, static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char *>(array.bytes.data()), array.bytes.size());
  return bytes;
}

} // namespace weft::cli
