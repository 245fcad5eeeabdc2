// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a model is, as the C API shows it.
#include "runtime/core/Descriptor.h"
#include "runtime/core/Model.h"

using namespace weft::runtime;

#ifndef WEFT_VERSION
#error "the build sets WEFT_VERSION"
#endif

const char *weft_version(void) { return WEFT_VERSION; }

const char *weft_model_name(const weft_model *model) { return model ? model->descriptor->model : ""; }

const char *weft_model_device(const weft_model *model) { return model ? model->deviceName : ""; }

const char *weft_model_compiler(const weft_model *model) { return model ? model->descriptor->compiler : ""; }

size_t weft_model_entry_count(const weft_model *model) { return model ? size_t(model->descriptor->entry_count) : 0; }

static weft_status badQuery(const char *function, const char *what) {
  return fail(kBadArgument, Place("%s", function), "weft_model_entry tells how many there are", "%s", what);
}

weft_status weft_model_entry(const weft_model *model, size_t index, weft_entry_info *info) {
  if (!model || !info)
    return badQuery("weft_model_entry", "model or info is null");
  if (index >= weft_model_entry_count(model))
    return badQuery("weft_model_entry", "there is no entry of this index");
  const weft_abi_entry &entry = model->descriptor->entries[index];
  const weft_abi_variant *variant = pickVariant(entry, model->machine, nullptr);
  *info = {entry.name,
           variant ? variant->target : nullptr,
           size_t(entry.dim_count),
           size_t(entry.input_count),
           size_t(entry.output_count),
           size_t(entry.state_count)};
  return WEFT_OK;
}

weft_status weft_model_dim(const weft_model *model, const char *entry, size_t index, weft_dim_info *info) {
  if (!model || !info)
    return badQuery("weft_model_dim", "model or info is null");
  const weft_abi_entry *found = findEntry(*model->descriptor, entry);
  if (!found)
    return WEFT_ERROR_ARGUMENT;
  if (index >= size_t(found->dim_count))
    return badQuery("weft_model_dim", "there is no dimension of this index");
  const weft_abi_dim &dim = found->dims[index];
  *info = {dim.name, dim.min, dim.max};
  return WEFT_OK;
}

static void describe(const weft_abi_entry &entry, const weft_abi_tensor &tensor, weft_tensor_info &info) {
  info = {};
  info.name = tensor.name;
  info.dtype = tensor.dtype;
  info.rank = tensor.rank;
  for (int32_t axis = 0; axis < tensor.rank; ++axis) {
    int32_t dim = dimOf(tensor.shape[axis]);
    info.shape[axis] = dim < 0 ? tensor.shape[axis] : -1;
    info.dim_names[axis] = dim < 0 ? nullptr : entry.dims[dim].name;
  }
  info.index_limit = tensor.index_limit;
  info.optional = tensor.optional;
  info.default_value = tensor.default_value;
}

weft_status weft_model_input(const weft_model *model, const char *entry, size_t index, weft_tensor_info *info) {
  if (!model || !info)
    return badQuery("weft_model_input", "model or info is null");
  const weft_abi_entry *found = findEntry(*model->descriptor, entry);
  if (!found)
    return WEFT_ERROR_ARGUMENT;
  if (index >= size_t(found->input_count))
    return badQuery("weft_model_input", "there is no input of this index");
  describe(*found, found->inputs[index], *info);
  return WEFT_OK;
}

weft_status weft_model_output(const weft_model *model, const char *entry, size_t index, weft_tensor_info *info) {
  if (!model || !info)
    return badQuery("weft_model_output", "model or info is null");
  const weft_abi_entry *found = findEntry(*model->descriptor, entry);
  if (!found)
    return WEFT_ERROR_ARGUMENT;
  if (index >= size_t(found->output_count))
    return badQuery("weft_model_output", "there is no output of this index");
  describe(*found, found->outputs[index], *info);
  return WEFT_OK;
}

size_t weft_model_state_count(const weft_model *model) { return model ? size_t(model->descriptor->state_count) : 0; }

weft_status weft_model_state(const weft_model *model, size_t index, weft_tensor_info *info) {
  if (!model || !info)
    return badQuery("weft_model_state", "model or info is null");
  if (index >= weft_model_state_count(model))
    return fail(kBadArgument, Place("weft_model_state"), "weft_model_state_count tells how many there are",
                "there is no state of this index");
  const weft_abi_state &state = model->descriptor->states[index];
  *info = {};
  info->name = state.name;
  info->dtype = state.dtype;
  info->rank = state.rank;
  for (int32_t axis = 0; axis < state.rank; ++axis) {
    int32_t dim = dimOf(state.shape[axis]);
    info->shape[axis] = dim < 0 ? state.shape[axis] : -1;
    info->dim_names[axis] = dim < 0 ? nullptr : model->descriptor->state_dims[dim];
  }
  info->index_limit = state.index_limit;
  return WEFT_OK;
}

weft_status weft_model_entry_state(const weft_model *model, const char *entry, size_t index, weft_tensor_info *info) {
  if (!model || !info)
    return badQuery("weft_model_entry_state", "model or info is null");
  const weft_abi_entry *found = findEntry(*model->descriptor, entry);
  if (!found)
    return WEFT_ERROR_ARGUMENT;
  if (index >= size_t(found->state_count))
    return badQuery("weft_model_entry_state", "the entry uses no state of this index");
  return weft_model_state(model, size_t(found->states[index]), info);
}
