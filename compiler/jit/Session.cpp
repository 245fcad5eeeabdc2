// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays of C++ into the runtime's, and back.
#include "compiler/jit/Executable.h"

#include <algorithm>

namespace weft {
namespace {

/// Of a rank beyond the runtime's only the rank is told: the runtime says what is wrong with it.
weft_tensor tensorOf(const std::string &name, ElementType type, const std::vector<int64_t> &shape, const void *data,
                     size_t bytes) {
  weft_tensor tensor = {};
  tensor.name = name.c_str();
  tensor.data = const_cast<void *>(data);
  tensor.bytes = bytes;
  tensor.dtype = static_cast<int32_t>(type);
  tensor.rank = static_cast<int32_t>(shape.size());
  std::copy_n(shape.begin(), std::min<size_t>(shape.size(), WEFT_MAX_RANK), tensor.shape);
  return tensor;
}

/// Empty arrays need an address too.
const void *addressOf(const std::vector<std::byte> &bytes) {
  static const std::byte kNothing{};
  return bytes.empty() ? &kNothing : bytes.data();
}

/// The outputs of an entry; empty when there is no such entry, which the run then reports.
size_t outputCount(const weft_model *model, const std::string &entry) {
  weft_entry_info info;
  for (size_t index = 0; index < weft_model_entry_count(model); ++index)
    if (weft_model_entry(model, index, &info) == WEFT_OK && entry == info.name)
      return info.output_count;
  return 0;
}

} // namespace

size_t elementSize(ElementType type) { return weft_dtype_size(static_cast<int32_t>(type)); }

Session::Session(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Session::~Session() = default;
Session::Session(Session &&) noexcept = default;
Session &Session::operator=(Session &&) noexcept = default;

Result<std::vector<Array>> Session::run(const std::string &entry, const std::vector<Array> &inputs) {
  std::vector<weft_tensor> given;
  given.reserve(inputs.size());
  for (const Array &input : inputs)
    given.push_back(tensorOf(input.name, input.type, input.shape, addressOf(input.bytes), input.bytes.size()));
  const weft_model *model = impl->executable->model;
  std::vector<Array> outputs(outputCount(model, entry));
  std::vector<weft_tensor> wanted;
  for (size_t index = 0; index < outputs.size(); ++index) {
    weft_tensor_info info;
    weft_tensor tensor = {};
    if (weft_model_output(model, entry.c_str(), index, &info) != WEFT_OK)
      return runtimeError();
    tensor.name = info.name;
    if (weft_output_shape(impl->session, entry.c_str(), given.data(), given.size(), &tensor) != WEFT_OK)
      return runtimeError();
    Array &output = outputs[index];
    output = {info.name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}};
    output.bytes.resize(tensor.bytes);
    tensor.data = const_cast<void *>(addressOf(output.bytes));
    wanted.push_back(tensor);
  }
  if (weft_run(impl->session, entry.c_str(), given.data(), given.size(), wanted.data(), wanted.size()) != WEFT_OK)
    return runtimeError();
  return outputs;
}

Result<void> Session::run(const std::string &entry, std::span<const Buffer> inputs, std::span<Buffer> outputs) {
  std::vector<weft_tensor> given, wanted;
  given.reserve(inputs.size());
  wanted.reserve(outputs.size());
  for (const Buffer &input : inputs)
    given.push_back(tensorOf(input.name, input.type, input.shape, input.data, input.bytes));
  for (const Buffer &output : outputs)
    wanted.push_back(tensorOf(output.name, output.type, {}, output.data, output.bytes));
  if (weft_run(impl->session, entry.c_str(), given.data(), given.size(), wanted.data(), wanted.size()) != WEFT_OK)
    return runtimeError();
  for (size_t index = 0; index < outputs.size(); ++index)
    outputs[index].shape.assign(wanted[index].shape, wanted[index].shape + wanted[index].rank);
  return {};
}

Result<void> Session::reset() {
  if (weft_session_reset(impl->session) != WEFT_OK)
    return runtimeError();
  return {};
}

Result<Array> Session::state(const std::string &name) const {
  weft_tensor tensor = {};
  tensor.name = name.c_str();
  if (weft_session_state_shape(impl->session, &tensor) != WEFT_OK)
    return runtimeError();
  Array array{name, ElementType(tensor.dtype), {tensor.shape, tensor.shape + tensor.rank}, {}};
  array.bytes.resize(tensor.bytes);
  tensor.data = const_cast<void *>(addressOf(array.bytes));
  if (weft_session_get_state(impl->session, &tensor) != WEFT_OK)
    return runtimeError();
  return array;
}

Result<void> Session::setState(const Array &state) {
  weft_tensor tensor = tensorOf(state.name, state.type, state.shape, addressOf(state.bytes), state.bytes.size());
  if (weft_session_set_state(impl->session, &tensor) != WEFT_OK)
    return runtimeError();
  return {};
}

} // namespace weft
