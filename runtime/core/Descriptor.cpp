// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/Descriptor.h"

#include "runtime/core/ElementType.h"
#include "runtime/cpu/CpuFeatures.h"

#include <cstdio>
#include <cstring>

namespace weft::runtime {

// Far above any model; keeps sums of counts in range.
static constexpr int32_t kMaxCount = 1 << 20;

namespace {
/// Checks parts of a descriptor; remembers the first broken rule and its place.
class DescriptorCheck {
public:
  bool run(const weft_abi_model &model);

  const char *broken = nullptr;
  const char *where = "";

private:
  bool require(bool holds, const char *rule, const char *name) {
    if (holds || broken)
      return !broken;
    broken = rule;
    where = name ? name : "";
    return false;
  }
  bool count(int32_t count, const void *items, const char *name) {
    return require(count >= 0 && count <= kMaxCount && (count == 0 || items), "a count and its array do not fit", name);
  }
  bool parameter(const weft_abi_parameter &parameter);
  bool state(const weft_abi_model &model, const weft_abi_state &state);
  bool states(const weft_abi_model &model);
  bool statesOf(const weft_abi_model &model, const weft_abi_entry &entry);
  bool entry(const weft_abi_model &model, const weft_abi_entry &entry);
  bool tensor(const weft_abi_entry &entry, const weft_abi_tensor &tensor);
  bool optional(const weft_abi_tensor &input);
  bool namedDims(const weft_abi_entry &entry);
  bool dims(const weft_abi_model &model, const weft_abi_entry &entry);
  bool variants(const weft_abi_entry &entry);
  bool variant(const weft_abi_entry &entry, const weft_abi_variant &variant);
  bool kernels(const weft_abi_model &model);
  bool kernel(const weft_abi_model &model, const weft_abi_kernel &kernel);
  template <class T> bool uniqueNames(const T *items, int32_t count, const char *rule);
};
} // namespace

template <class T> bool DescriptorCheck::uniqueNames(const T *items, int32_t count, const char *rule) {
  for (int32_t i = 0; i < count; ++i)
    for (int32_t j = 0; j < i; ++j)
      if (!require(strcmp(items[i].name, items[j].name) != 0, rule, items[i].name))
        return false;
  return true;
}

bool DescriptorCheck::parameter(const weft_abi_parameter &parameter) {
  require(parameter.name && *parameter.name, "a weight has no name", "");
  require(elementType(parameter.dtype), "a weight's element type is unknown", parameter.name);
  require(parameter.rank >= 0 && parameter.rank <= WEFT_ABI_MAX_RANK && (parameter.rank == 0 || parameter.shape),
          "a weight's rank is not 0 to 8", parameter.name);
  for (int32_t axis = 0; !broken && axis < parameter.rank; ++axis)
    require(parameter.shape[axis] >= 0, "a weight's extent is negative", parameter.name);
  return !broken;
}

bool DescriptorCheck::state(const weft_abi_model &model, const weft_abi_state &state) {
  require(state.name && *state.name, "a state has no name", "");
  require(elementType(state.dtype), "a state's element type is unknown", state.name);
  require(state.rank >= 0 && state.rank <= WEFT_ABI_MAX_RANK && (state.rank == 0 || state.shape),
          "a state's rank is not 0 to 8", state.name);
  for (int32_t axis = 0; !broken && axis < state.rank; ++axis)
    require(state.shape[axis] >= -int64_t(model.state_dim_count), "a state's extent names no dimension", state.name);
  require(broken || !state.fills || (elementType(state.dtype)->integer && state.fills_by),
          "a state counts places, and its numbers are not whole or it is not known how many a call takes", state.name);
  return require(broken || state.index_limit <= 0 || elementType(state.dtype)->integer,
                 "an index limit is on a state of numbers that are not whole", state.name);
}

bool DescriptorCheck::states(const weft_abi_model &model) {
  if (!count(model.state_count, model.states, "states") ||
      !count(model.state_dim_count, model.state_dims, "state_dims"))
    return false;
  for (int32_t d = 0; d < model.state_dim_count; ++d) {
    require(model.state_dims[d] && *model.state_dims[d], "a dimension of the states has no name", "");
    for (int32_t other = 0; !broken && other < d; ++other)
      require(strcmp(model.state_dims[other], model.state_dims[d]) != 0, "a dimension of the states comes twice",
              model.state_dims[d]);
  }
  for (int32_t i = 0; !broken && i < model.state_count; ++i)
    state(model, model.states[i]);
  return !broken && uniqueNames(model.states, model.state_count, "a state comes twice");
}

/// The states that an entry uses have their dimensions among the entry's.
bool DescriptorCheck::statesOf(const weft_abi_model &model, const weft_abi_entry &entry) {
  for (int32_t i = 0; i < entry.state_count; ++i) {
    if (!require(entry.states[i] >= 0 && entry.states[i] < model.state_count, "an entry uses a state that is not there",
                 entry.name))
      return false;
    const weft_abi_state &state = model.states[entry.states[i]];
    for (int32_t other = 0; other < i; ++other)
      require(entry.states[other] != entry.states[i], "an entry uses a state twice", state.name);
    for (int32_t axis = 0; !broken && axis < state.rank; ++axis)
      if (int32_t dim = dimOf(state.shape[axis]); dim >= 0)
        require(findDim(entry, model.state_dims[dim]) >= 0, "an entry lacks a dimension of a state that it uses",
                state.name);
  }
  return !broken;
}

bool DescriptorCheck::tensor(const weft_abi_entry &entry, const weft_abi_tensor &tensor) {
  require(tensor.name && *tensor.name, "a tensor has no name", entry.name);
  require(elementType(tensor.dtype), "a tensor's element type is unknown", tensor.name);
  require(tensor.rank >= 0 && tensor.rank <= WEFT_ABI_MAX_RANK && (tensor.rank == 0 || tensor.shape),
          "a tensor's rank is not 0 to 8", tensor.name);
  for (int32_t axis = 0; !broken && axis < tensor.rank; ++axis)
    require(tensor.shape[axis] >= -int64_t(entry.dim_count), "a tensor's extent names no dimension", tensor.name);
  require(broken || tensor.index_limit <= 0 || elementType(tensor.dtype)->integer,
          "an index limit is on a tensor of numbers that are not whole", tensor.name);
  return !broken;
}

bool DescriptorCheck::optional(const weft_abi_tensor &input) {
  if (!input.optional)
    return true;
  require(input.index_limit <= 0 || (input.default_value >= 0 && input.default_value < input.index_limit),
          "a default value is not below its index limit", input.name);
  // Elements of half precision have no default but zero.
  return require((input.dtype != WEFT_F16 && input.dtype != WEFT_BF16) || input.default_value == 0,
                 "a half-precision default value is not zero", input.name);
}

bool DescriptorCheck::namedDims(const weft_abi_entry &entry) {
  for (int32_t d = 0; !broken && d < entry.dim_count; ++d)
    require(entry.dims[d].name && *entry.dims[d].name, "a dimension has no name", entry.name);
  return !broken;
}

bool DescriptorCheck::dims(const weft_abi_model &model, const weft_abi_entry &entry) {
  for (int32_t d = 0; !broken && d < entry.dim_count; ++d) {
    const weft_abi_dim &dim = entry.dims[d];
    require(dim.min >= 0 && dim.min <= dim.max, "a dimension's bounds are not in order", dim.name);
    bool known = false;
    for (int32_t i = 0; !broken && i < entry.input_count; ++i)
      for (int32_t axis = 0; axis < entry.inputs[i].rank; ++axis)
        known |= !entry.inputs[i].optional && dimOf(entry.inputs[i].shape[axis]) == d;
    for (int32_t i = 0; !broken && !known && i < entry.state_count; ++i)
      known = usesDim(model, model.states[entry.states[i]], dim.name);
    require(known, "a dimension is in no input that must be given, and in no state", dim.name);
  }
  return !broken && uniqueNames(entry.dims, entry.dim_count, "a dimension comes twice");
}

bool DescriptorCheck::variants(const weft_abi_entry &entry) {
  require(entry.variant_count > 0, "an entry has no code", entry.name);
  for (int32_t v = 0; !broken && v < entry.variant_count; ++v)
    variant(entry, entry.variants[v]);
  return !broken;
}

bool DescriptorCheck::variant(const weft_abi_entry &entry, const weft_abi_variant &variant) {
  require(variant.target && variant.run && variant.arena_bytes, "a code variant lacks its name or a function",
          entry.name);
  require(broken || variant.device == WEFT_DEVICE_CPU || variant.device == WEFT_DEVICE_CUDA,
          "a code variant's device is unknown", variant.target);
  bool isCuda = variant.device == WEFT_DEVICE_CUDA;
  // 10 is the first compute capability that there was, 1.0.
  require(isCuda ? variant.architecture >= 10 && variant.architecture <= 9999 : variant.architecture == 0,
          "a code variant's architecture does not fit its device", variant.target);
  return require(variant.architecture_specific == 0 || (isCuda && variant.architecture_specific == 1),
                 "a code variant's architecture_specific is not 0 or 1, or is that of a CPU", variant.target);
}

/// The name is part of a file's name: no separator, no dot.
static bool isPlain(const char *name) {
  static constexpr size_t kLongest = 1023; // that PTX must allow
  if (!name || !*name || strlen(name) > kLongest)
    return false;
  for (; *name; ++name)
    if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') ||
          *name == '_' || *name == '$'))
      return false;
  return true;
}

bool DescriptorCheck::kernel(const weft_abi_model &model, const weft_abi_kernel &kernel) {
  // 32764 bytes of parameters (PTX 8.1 and later), two of them the scratch pointers.
  constexpr int32_t kMostParameters = 32764 / 8 - 2;
  constexpr int32_t kMostShared = 1 << 20; // bytes; four times what a multiprocessor has
  if (!require(isPlain(kernel.name), "a kernel's name is not of letters, digits, _ and $",
               isPlain(kernel.target) ? kernel.target : "") ||
      !require(isPlain(kernel.target), "a kernel's target is not of letters, digits, _ and $", kernel.name))
    return false;
  require(kernel.threads >= 1 && kernel.threads <= 1024, "a kernel's threads are not 1 to 1024", kernel.name);
  require(kernel.shared_bytes >= 0 && kernel.shared_bytes <= kMostShared,
          "a kernel's shared memory is not 0 to 1048576 bytes", kernel.name);
  require(kernel.parameter_count >= 0 && kernel.parameter_count <= kMostParameters,
          "a kernel has more parameters than a launch takes, or less than none", kernel.name);
  require(kernel.scratch_bytes >= 0, "a kernel's scratch for a block is negative", kernel.name);
  bool isLaunched = false;
  for (int32_t e = 0; e < model.entry_count; ++e)
    for (int32_t v = 0; v < model.entries[e].variant_count; ++v) {
      const weft_abi_variant &variant = model.entries[e].variants[v];
      isLaunched |= variant.device == WEFT_DEVICE_CUDA && strcmp(variant.target, kernel.target) == 0;
    }
  return require(isLaunched, "a kernel's target is that of no CUDA code variant", kernel.name);
}

/// Kernels that differ in their names alone are one, which comes as often as they are launched under a number.
static bool isAlike(const weft_abi_kernel &a, const weft_abi_kernel &b) {
  return a.threads == b.threads && a.shared_bytes == b.shared_bytes && a.scratch_bytes == b.scratch_bytes &&
         a.parameter_count == b.parameter_count;
}

/// After the entries, whose variants they belong to.
bool DescriptorCheck::kernels(const weft_abi_model &model) {
  if (!count(model.kernel_count, model.kernels, "kernels"))
    return false;
  for (int32_t i = 0; i < model.kernel_count; ++i) {
    const weft_abi_kernel &one = model.kernels[i];
    if (!kernel(model, one))
      return false;
    for (int32_t other = 0; other < i; ++other)
      if (!require(!isSame(model.kernels[other], one) || isAlike(model.kernels[other], one),
                   "a kernel comes twice for a target, and differs", one.name))
        return false;
    // Of its target, it is the first or comes behind another one.
    bool isLater = false;
    for (int32_t other = 0; other < i; ++other)
      isLater |= strcmp(model.kernels[other].target, one.target) == 0;
    if (!require(!isLater || strcmp(model.kernels[i - 1].target, one.target) == 0,
                 "the kernels of a target do not lie together", one.name))
      return false;
  }
  return true;
}

bool DescriptorCheck::entry(const weft_abi_model &model, const weft_abi_entry &entry) {
  if (!require(entry.name && *entry.name, "an entry has no name", "") ||
      !count(entry.dim_count, entry.dims, entry.name) || !count(entry.input_count, entry.inputs, entry.name) ||
      !count(entry.output_count, entry.outputs, entry.name) ||
      !count(entry.variant_count, entry.variants, entry.name) || !count(entry.state_count, entry.states, entry.name))
    return false;
  for (int32_t i = 0; i < entry.input_count; ++i)
    if (!tensor(entry, entry.inputs[i]) || !optional(entry.inputs[i]))
      return false;
  for (int32_t i = 0; i < entry.output_count; ++i)
    if (!tensor(entry, entry.outputs[i]))
      return false;
  return uniqueNames(entry.inputs, entry.input_count, "an input comes twice") &&
         uniqueNames(entry.outputs, entry.output_count, "an output comes twice") && namedDims(entry) &&
         statesOf(model, entry) && dims(model, entry) && variants(entry);
}

bool DescriptorCheck::run(const weft_abi_model &model) {
  if (!require(model.compiler && model.model, "it has no name", "") ||
      !count(model.entry_count, model.entries, "entries") ||
      !count(model.parameter_count, model.parameters, "parameters") ||
      !require(model.entry_count > 0, "it has no entry", model.model))
    return false;
  for (int32_t i = 0; i < model.parameter_count; ++i)
    if (!parameter(model.parameters[i]))
      return false;
  if (!states(model))
    return false;
  for (int32_t i = 0; i < model.entry_count; ++i)
    if (!entry(model, model.entries[i]))
      return false;
  return uniqueNames(model.entries, model.entry_count, "an entry comes twice") && kernels(model);
}

weft_status checkDescriptor(const weft_abi_model &model, const Place &place) {
  if (model.magic != WEFT_ABI_MAGIC)
    return fail(kDescriptorMalformed, place, "give a file that `weft compile` made",
                "the descriptor starts with %08x, not with the magic %08x", model.magic, WEFT_ABI_MAGIC);
  if (model.abi_major != WEFT_ABI_MAJOR || model.abi_minor > WEFT_ABI_MINOR)
    return fail(kAbiDiffers, place,
                "compile the model again with a compiler of this runtime's "
                "version, or install the runtime that the compiler came with",
                "the model has ABI %d.%d, this runtime has ABI %d.%d (weft %s)", model.abi_major, model.abi_minor,
                WEFT_ABI_MAJOR, WEFT_ABI_MINOR, weft_version());
  DescriptorCheck check;
  if (check.run(model))
    return WEFT_OK;
  return fail(kDescriptorMalformed, place, "this is a fault of the compiler that made the model: report it",
              "the model's descriptor is malformed: %s%s%s", check.broken, *check.where ? ": " : "", check.where);
}

static bool canRun(const Machine &machine, const weft_abi_variant &variant) {
  if (variant.device == WEFT_DEVICE_CPU)
    return !machine.architecture && (variant.required_features & ~machine.features) == 0;
  return variant.architecture_specific ? machine.architecture == variant.architecture
                                       : machine.architecture >= variant.architecture;
}

const weft_abi_variant *pickVariant(const weft_abi_entry &entry, const Machine &machine, const char *name) {
  for (int32_t v = 0; v < entry.variant_count; ++v) {
    const weft_abi_variant &variant = entry.variants[v];
    if (!canRun(machine, variant))
      continue;
    if (!name || strcmp(name, variant.target) == 0)
      return &variant;
    if (machine.architecture)
      break;
  }
  return nullptr;
}

weft_status failVariant(const weft_abi_entry &entry, const Machine &machine, const char *name) {
  Place place("entry \"%s\"", entry.name);
  char runnable[128] = "";
  size_t used = 0;
  for (int32_t v = 0; v < entry.variant_count; ++v) {
    const weft_abi_variant &variant = entry.variants[v];
    bool isForCpu = variant.device == WEFT_DEVICE_CPU, isNamed = strcmp(variant.target, name) == 0;
    if (isNamed && isForCpu == (machine.architecture != 0))
      return fail(kCpuLacksFeatures, place, "open the model with another weft_open_options.device",
                  "the code variant '%.64s' is for %s, the model was opened on %s", name, isForCpu ? "CPUs" : "GPUs",
                  isForCpu ? "a GPU" : "the CPU");
    if (isNamed && isForCpu)
      return fail(kCpuLacksFeatures, place, "leave the variant out: the best that this CPU runs is taken",
                  "the code variant '%.64s' needs a CPU with %s, this one has %s", name,
                  FeatureText(variant.required_features).text, FeatureText(machine.features).text);
    if (canRun(machine, variant) && used < sizeof(runnable) && (isForCpu || !used))
      used += size_t(snprintf(runnable + used, sizeof(runnable) - used, "%s%s", used ? ", " : "", variant.target));
  }
  return fail(kCpuLacksFeatures, place,
              "choose one of these, or leave the variant out: the best is taken; `weft compile … --target` adds more",
              "the entry has no code variant '%.64s'; this %s runs its %s", name, machine.architecture ? "GPU" : "CPU",
              runnable);
}

const weft_abi_entry *entryWithoutCode(const weft_abi_model &model, uint64_t features) {
  for (int32_t i = 0; i < model.entry_count; ++i)
    if (!pickVariant(model.entries[i], {features, 0}, nullptr))
      return &model.entries[i];
  return nullptr;
}

weft_status failCpu(const weft_abi_entry &entry, uint64_t features, const Place &place) {
  const weft_abi_variant *least = nullptr;
  for (int32_t v = 0; v < entry.variant_count; ++v)
    if (entry.variants[v].device == WEFT_DEVICE_CPU)
      least = &entry.variants[v];
  if (!least)
    return fail(kCpuLacksFeatures, place, "compile the model for the CPU too: `weft compile … --target cpu`",
                "entry '%s' has code for GPUs only, the first for %s", entry.name, entry.variants[0].target);
  return fail(kCpuLacksFeatures, place, "compile the model for this CPU too: `weft compile … --target cpu:v3,portable`",
              "entry '%s' needs a CPU with %s, this one has %s", entry.name, FeatureText(least->required_features).text,
              FeatureText(features).text);
}

int32_t findDim(const weft_abi_entry &entry, const char *name) {
  for (int32_t d = 0; d < entry.dim_count; ++d)
    if (strcmp(entry.dims[d].name, name) == 0)
      return d;
  return -1;
}

bool usesDim(const weft_abi_model &model, const weft_abi_state &state, const char *name) {
  for (int32_t axis = 0; axis < state.rank; ++axis)
    if (int32_t dim = dimOf(state.shape[axis]); dim >= 0 && strcmp(model.state_dims[dim], name) == 0)
      return true;
  return false;
}

const weft_abi_entry *findEntry(const weft_abi_model &model, const char *name) {
  for (int32_t i = 0; i < model.entry_count; ++i)
    if (!name || strcmp(name, model.entries[i].name) == 0)
      return &model.entries[i];
  fail(kBadArgument, Place("model \"%s\"", model.model), "weft_model_entry lists the entries",
       "the model has no entry '%.200s'; its first is '%s'", name, model.entries[0].name);
  return nullptr;
}

} // namespace weft::runtime
