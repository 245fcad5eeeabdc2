// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Weights.h"

#include "runtime/core/ElementType.h"
#include "runtime/core/Manifest.h"

#include <cstring>

namespace weft::runtime {

static const char *const kCompileAgain = "the artifact was not made whole: make it again with `weft compile`";

weft_status Weights::open(const File &file, const std::string_view *digest) {
  if (weft_status status = mapping.map(file, digest != nullptr))
    return status;
  if (digest && digestOf(mapping.data, mapping.size).text != *digest)
    return failDigest(file);
  if (weft_status status = readHeader(file))
    return status;
  if (weft_status status = checkExtents(file))
    return status;
  return checkNames(file);
}

weft_status Weights::readHeader(const File &file) {
  uint64_t headerBytes = 0;
  if (mapping.size < sizeof(headerBytes))
    return fail(kWeightsMalformed, file.place(), kCompileAgain, "the file ends before the header's length");
  memcpy(&headerBytes, mapping.data, sizeof(headerBytes));
  if (headerBytes > kMaxHeaderBytes || headerBytes > mapping.size - 8)
    return fail(kWeightsMalformed, file.place(), kCompileAgain, "the header's length %llu is more than %s",
                static_cast<unsigned long long>(headerBytes),
                headerBytes > kMaxHeaderBytes ? "100 MB" : "the file holds");
  dataOffset = 8 + headerBytes;
  // A tensor's text has at least 48 characters: `"":{"dtype":"I8",…}`.
  tensors = Array<StoredTensor>(headerBytes / 48 + 1);
  if (!tensors)
    return failOutOfMemory(file.place().text, headerBytes / 48 * sizeof(StoredTensor));
  reader = JsonReader({mapping.data + 8, headerBytes});
  readTensors(reader);
  if (reader.error())
    return fail(kWeightsMalformed, file.place(8 + reader.offset()), kCompileAgain, "the header is malformed: %s",
                reader.error());
  return WEFT_OK;
}

void Weights::readTensors(JsonReader &reader) {
  std::string_view name;
  bool metadata = false;
  reader.enterObject();
  while (reader.nextKey(name)) {
    if (name == "__metadata__") {
      if (metadata)
        reader.reject("__metadata__ comes twice");
      metadata = true;
      reader.skipValue();
      continue;
    }
    tensors[tensorCount].name = name;
    readTensor(reader, tensors[tensorCount]);
    if (!reader.error())
      ++tensorCount;
  }
  reader.atEnd();
}

static void readShape(JsonReader &reader, StoredTensor &tensor) {
  reader.enterArray();
  while (reader.nextElement()) {
    uint64_t extent = 0;
    if (tensor.rank == WEFT_ABI_MAX_RANK) {
      reader.reject("a tensor has more than 8 dimensions");
      return;
    }
    if (reader.readUnsigned(extent) && extent > INT64_MAX)
      reader.reject("an extent is too large");
    tensor.shape[tensor.rank++] = static_cast<int64_t>(extent);
  }
}

static void readOffsets(JsonReader &reader, StoredTensor &tensor) {
  reader.enterArray();
  if (!reader.nextElement() || !reader.readUnsigned(tensor.begin) || !reader.nextElement() ||
      !reader.readUnsigned(tensor.end) || reader.nextElement())
    reader.reject("data_offsets are not two numbers");
}

/// Bytes that shape and type ask for; false when the number is too large.
static bool bytesOf(const StoredTensor &tensor, uint64_t &bytes) {
  bytes = bytesOfSafetensors(tensor.dtype);
  for (int32_t axis = 0; axis < tensor.rank; ++axis)
    if (__builtin_mul_overflow(bytes, uint64_t(tensor.shape[axis]), &bytes))
      return false;
  return true;
}

void Weights::readTensor(JsonReader &reader, StoredTensor &tensor) {
  unsigned seen = 0;
  std::string_view key;
  reader.enterObject();
  while (reader.nextKey(key)) {
    unsigned bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
    if (bit == 0 || (seen & bit)) {
      reader.reject(bit ? "a key comes twice" : "a tensor has an unknown key");
      return;
    }
    seen |= bit;
    if (bit == 1)
      reader.readString(tensor.dtype);
    else if (bit == 2)
      readShape(reader, tensor);
    else
      readOffsets(reader, tensor);
  }
  if (reader.error())
    return;
  uint64_t bytes;
  if (seen != 7)
    reader.reject("a tensor lacks dtype, shape or data_offsets");
  else if (bytesOfSafetensors(tensor.dtype) == 0)
    reader.reject("a tensor's dtype is unknown");
  else if (!bytesOf(tensor, bytes) || tensor.begin > tensor.end || tensor.end - tensor.begin != bytes)
    reader.reject("a tensor's data_offsets do not span what its shape and "
                  "dtype ask for");
}

static int byOffset(const void *left, const void *right) {
  auto *a = static_cast<const StoredTensor *>(left);
  auto *b = static_cast<const StoredTensor *>(right);
  if (a->begin != b->begin)
    return a->begin < b->begin ? -1 : 1;
  return a->end < b->end ? -1 : a->end > b->end ? 1 : 0;
}

static int byName(const void *left, const void *right) {
  auto *a = static_cast<const StoredTensor *>(left);
  auto *b = static_cast<const StoredTensor *>(right);
  return a->name.compare(b->name);
}

/// The length of a name that a message has room for.
static int clipped(std::string_view name) { return static_cast<int>(name.size() < 200 ? name.size() : 200); }

/// Tensors fill the data from its start to the end of the file.
weft_status Weights::checkExtents(const File &file) {
  if (tensorCount)
    qsort(tensors.get(), tensorCount, sizeof(StoredTensor), byOffset);
  uint64_t reached = 0;
  for (size_t i = 0; i < tensorCount; ++i) {
    const StoredTensor &tensor = tensors[i];
    if (tensor.begin != reached)
      return fail(kWeightsMalformed, file.place(), kCompileAgain,
                  "tensor '%.*s' starts at byte %llu of the data, which %s %llu", clipped(tensor.name),
                  tensor.name.data(), static_cast<unsigned long long>(tensor.begin),
                  tensor.begin < reached ? "is in use up to" : "leaves a hole after",
                  static_cast<unsigned long long>(reached));
    reached = tensor.end;
  }
  if (reached != mapping.size - dataOffset)
    return fail(kWeightsMalformed, file.place(), kCompileAgain, "the tensors take %llu bytes, the file holds %llu",
                static_cast<unsigned long long>(reached), static_cast<unsigned long long>(mapping.size - dataOffset));
  return WEFT_OK;
}

weft_status Weights::checkNames(const File &file) {
  if (tensorCount)
    qsort(tensors.get(), tensorCount, sizeof(StoredTensor), byName);
  for (size_t i = 1; i < tensorCount; ++i)
    if (tensors[i - 1].name == tensors[i].name)
      return fail(kWeightsMalformed, file.place(), kCompileAgain, "tensor '%.*s' comes twice", clipped(tensors[i].name),
                  tensors[i].name.data());
  return WEFT_OK;
}

const StoredTensor *Weights::find(std::string_view name) const {
  size_t low = 0, high = tensorCount;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (tensors[middle].name < name)
      low = middle + 1;
    else
      high = middle;
  }
  return low < tensorCount && tensors[low].name == name ? &tensors[low] : nullptr;
}

static bool sameType(const StoredTensor &stored, const weft_abi_parameter &parameter) {
  return dtypeOfSafetensors(stored.dtype) == parameter.dtype && stored.rank == parameter.rank &&
         (stored.rank == 0 || memcmp(stored.shape, parameter.shape, sizeof(int64_t) * size_t(stored.rank)) == 0);
}

weft_status Weights::match(const weft_abi_model &model, const File &file, const void **parameters) const {
  for (int32_t i = 0; i < model.parameter_count; ++i) {
    const weft_abi_parameter &parameter = model.parameters[i];
    const StoredTensor *stored = find(parameter.name);
    if (!stored)
      return fail(kWeightMismatch, file.place(), kCompileAgain, "weight '%s' is missing", parameter.name);
    if (!sameType(*stored, parameter))
      return fail(kWeightMismatch, file.place(), kCompileAgain, "weight '%s' is %.*s %s, the model's code reads %s %s",
                  parameter.name, static_cast<int>(stored->dtype.size()), stored->dtype.data(),
                  ShapeText(stored->shape, stored->rank).text, elementType(parameter.dtype)->safetensorsName,
                  ShapeText(parameter.shape, parameter.rank).text);
    const char *data = mapping.data + dataOffset + stored->begin;
    if (reinterpret_cast<uintptr_t>(data) % kAlignment != 0)
      return fail(kWeightMismatch, file.place(dataOffset + stored->begin), kCompileAgain,
                  "weight '%s' does not start at a multiple of %llu bytes", parameter.name,
                  static_cast<unsigned long long>(kAlignment));
    parameters[i] = data;
  }
  return WEFT_OK;
}

} // namespace weft::runtime
