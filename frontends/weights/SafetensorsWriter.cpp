// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/SafetensorsWriter.h"

#include <atomic>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <unistd.h>
#include <utility>

namespace weft {
namespace {

using nlohmann::json;

constexpr std::byte kZeros[kTensorAlignment] = {};

uint64_t paddingAfter(const TensorSpec &tensor) { return -tensor.bytes() % kTensorAlignment; }

/// The names become keys of one JSON object, and no key may be there twice.
Result<void> checkNames(std::span<const TensorSpec> tensors, const std::string &place) {
  std::set<std::string_view> names;
  for (const TensorSpec &tensor : tensors) {
    bool reserved = tensor.name.empty() || tensor.name == "__metadata__" || tensor.name.starts_with(kPaddingPrefix);
    if (reserved || !names.insert(tensor.name).second)
      return Diagnostic{"W0141",
                        "a tensor cannot be named " + printableName(tensor.name) +
                            (reserved ? ": the name has another meaning in the file" : ": another one is"),
                        place, "give it another name"};
  }
  return {};
}

std::string quoted(const std::string &text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

/// The header's JSON in the order of the data. Written by hand for the order; names are escaped by the JSON library.
std::string headerText(std::span<const TensorSpec> tensors, const std::map<std::string, std::string> &metadata) {
  std::string text = "{";
  if (!metadata.empty())
    text += "\"__metadata__\":" + json(metadata).dump(-1, ' ', false, json::error_handler_t::replace);
  uint64_t offset = 0;
  size_t paddings = 0;
  auto add = [&](const std::string &name, DType dtype, const json &shape, uint64_t bytes) {
    text += (text.size() > 1 ? "," : "") + quoted(name) + ":{\"dtype\":\"" + std::string(dtypeName(dtype)) +
            "\",\"shape\":" + shape.dump() + ",\"data_offsets\":[" + std::to_string(offset) + "," +
            std::to_string(offset + bytes) + "]}";
    offset += bytes;
  };
  for (const TensorSpec &tensor : tensors) {
    add(tensor.name, tensor.dtype, json(tensor.shape), tensor.bytes());
    if (uint64_t padding = paddingAfter(tensor))
      add(std::string(kPaddingPrefix) + std::to_string(paddings++), DType::U8, json::array({padding}), padding);
  }
  text += "}";
  return text + std::string(-(8 + text.size()) % kDataAlignment, ' ');
}

} // namespace

uint64_t TensorSpec::bytes() const {
  uint64_t bits = bitsPerElement(dtype);
  for (int64_t extent : shape) {
    [[maybe_unused]] bool overflows = __builtin_mul_overflow(bits, static_cast<uint64_t>(extent), &bits);
    assert(extent >= 0 && !overflows && "the shape can be counted");
  }
  assert(bits % 8 == 0 && "the tensor fills whole bytes");
  return bits / 8;
}

Result<SafetensorsWriter> SafetensorsWriter::create(const std::filesystem::path &path,
                                                    std::span<const TensorSpec> tensors,
                                                    const std::map<std::string, std::string> &metadata) {
  if (Result<void> names = checkNames(tensors, path.string()); !names)
    return names.takeError();
  SafetensorsWriter writer;
  writer.target = path;
  writer.tensors.assign(tensors.begin(), tensors.end());
  if (Result<void> created = writer.createTemporary(); !created)
    return created.takeError();
  if (Result<void> header = writer.writeHeader(metadata); !header)
    return header.takeError();
  return writer;
}

/// A new file of a name that no other writer has, in the directory of the target so that a rename suffices.
Result<void> SafetensorsWriter::createTemporary() {
  static std::atomic<unsigned> counter = 0;
  do {
    std::string name = "." + target.filename().string() + "." + std::to_string(getpid()) + "-" +
                       std::to_string(counter++) + ".partial";
    temporary = (target.parent_path() / name).string();
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EEXIST);
  if (descriptor >= 0)
    return {};
  temporary.clear();
  return failure(std::strerror(errno));
}

SafetensorsWriter::SafetensorsWriter(SafetensorsWriter &&other) noexcept
    : target(std::move(other.target)), temporary(std::exchange(other.temporary, {})),
      descriptor(std::exchange(other.descriptor, -1)), tensors(std::move(other.tensors)), current(other.current),
      writtenOfCurrent(other.writtenOfCurrent) {}

SafetensorsWriter::~SafetensorsWriter() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Diagnostic SafetensorsWriter::failure(const std::string &what) const {
  return {"W0140", "cannot write the file: " + what, target.string(),
          "check the free space and the permissions of the directory; nothing was left behind"};
}

Result<void> SafetensorsWriter::writeHeader(const std::map<std::string, std::string> &metadata) {
  std::string text = headerText(tensors, metadata);
  if (text.size() > kMaxSafetensorsHeader)
    return failure("its header would have " + std::to_string(text.size()) + " bytes, more than the format allows");
  std::string length;
  for (int byte = 0; byte < 8; ++byte)
    length += static_cast<char>(text.size() >> (8 * byte));
  text.insert(0, length);
  if (Result<void> written = writeAll(std::as_bytes(std::span(text))); !written)
    return written;
  return finishTensors();
}

Result<void> SafetensorsWriter::writeAll(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR)
      return failure(std::strerror(errno));
    bytes = bytes.subspan(count < 0 ? 0 : static_cast<size_t>(count));
  }
  return {};
}

/// Moves on past every tensor that has all its bytes, empty ones included, with the padding after it.
Result<void> SafetensorsWriter::finishTensors() {
  while (current < tensors.size() && writtenOfCurrent == tensors[current].bytes()) {
    if (Result<void> padded = writeAll({kZeros, paddingAfter(tensors[current])}); !padded)
      return padded;
    ++current;
    writtenOfCurrent = 0;
  }
  return {};
}

Result<void> SafetensorsWriter::append(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return {};
  assert(current < tensors.size() && bytes.size() <= tensors[current].bytes() - writtenOfCurrent &&
         "a piece lies within one tensor");
  if (Result<void> written = writeAll(bytes); !written)
    return written;
  writtenOfCurrent += bytes.size();
  return finishTensors();
}

Result<void> SafetensorsWriter::commit() {
  assert(current == tensors.size() && "every tensor was written");
  if (fsync(descriptor) != 0)
    return failure(std::strerror(errno));
  // A full disk on a network file system may be told only now.
  if (close(std::exchange(descriptor, -1)) != 0)
    return failure(std::strerror(errno));
  if (rename(temporary.c_str(), target.c_str()) != 0)
    return failure(std::strerror(errno));
  temporary.clear();
  return {};
}

Result<void> writeSafetensors(const std::filesystem::path &path, std::span<const TensorView> tensors,
                              const std::map<std::string, std::string> &metadata) {
  std::vector<TensorSpec> specs;
  for (const TensorView &tensor : tensors)
    specs.push_back({tensor.name, tensor.dtype, tensor.shape});
  Result<SafetensorsWriter> writer = SafetensorsWriter::create(path, specs, metadata);
  if (!writer)
    return writer.takeError();
  for (const TensorView &tensor : tensors)
    if (Result<void> written = writer->append(tensor.bytes); !written)
      return written;
  return writer->commit();
}

} // namespace weft
