// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Descriptors in memory (weft_open_linked): what a JIT could get wrong.
#include "runtime/include/weft/runtime.h"

#include "gtest/gtest.h"

namespace {
int32_t runNothing(const weft_abi_call *) { return WEFT_ABI_OK; }
int64_t noArena(const int64_t *) { return 0; }

/// A model y[n] of x[n] whose parts a test may change.
struct Linked {
  int64_t shape[1] = {-1};
  weft_abi_dim dim = {"n", 1, 8};
  weft_abi_tensor inputs[2] = {{"x", WEFT_I32, 1, shape, 4, 0, 0, 0}, {"m", WEFT_I32, 1, shape, 4, 1, 0, 1}};
  weft_abi_tensor output = {"y", WEFT_F32, 1, shape, 0, 0, 0, 0};
  weft_abi_variant variant = {"portable", 0, runNothing, noArena, WEFT_DEVICE_CPU, 0, 0, 0};
  weft_abi_entry entries[2] = {{"f", 1, 2, 1, 1, &dim, inputs, &output, &variant, nullptr, 0, 0},
                               {"g", 1, 2, 1, 1, &dim, inputs, &output, &variant, nullptr, 0, 0}};
  int64_t weightShape[1] = {4};
  weft_abi_parameter parameter = {"w", WEFT_F32, 1, weightShape};
  weft_abi_model model = {WEFT_ABI_MAGIC, WEFT_ABI_MAJOR, WEFT_ABI_MINOR, "test", "linked", 2,       1, entries,
                          &parameter,     nullptr,        nullptr,        0,      0,        nullptr, 0, 0};
  alignas(64) float weight[5] = {};

  weft_abi_variant withGpu[3] = {{"sm_90a", 0, runNothing, noArena, WEFT_DEVICE_CUDA, 90, 1, 0},
                                 {"sm_80", 0, runNothing, noArena, WEFT_DEVICE_CUDA, 80, 0, 0},
                                 variant};
  weft_abi_kernel kernels[3] = {
      {"k", "sm_80", 128, 0, 2, 0}, {"l", "sm_80", 128, 0, 2, 0}, {"m", "sm_80", 128, 0, 2, 0}};
  void addKernels() {
    entries[0].variants = withGpu;
    entries[0].variant_count = 3;
    model.kernels = kernels;
    model.kernel_count = 3;
  }

  weft_status open(const void *pointer) {
    weft_model *opened;
    weft_status status = weft_open_linked(&model, &pointer, nullptr, &opened);
    EXPECT_EQ(opened == nullptr, status != WEFT_OK);
    weft_close(opened);
    return status;
  }
  std::string refusal() {
    EXPECT_NE(open(weight), WEFT_OK);
    weft_error error;
    weft_last_error_parts(&error);
    return std::string(error.code) + " " + error.message;
  }
};

const char *const kMalformed = "W0408 the model's descriptor is malformed: ";
} // namespace

TEST(Descriptor, WholeOne) {
  Linked linked;
  EXPECT_EQ(linked.open(linked.weight), WEFT_OK) << weft_last_error();
}

TEST(Descriptor, OtherAbi) {
  Linked linked;
  linked.model.abi_minor = WEFT_ABI_MINOR + 1;
  EXPECT_EQ(linked.open(linked.weight), WEFT_ERROR_INCOMPATIBLE);
  linked = {};
  linked.model.magic = 1;
  EXPECT_EQ(linked.open(linked.weight), WEFT_ERROR_CORRUPT);
}

TEST(Descriptor, ParameterPointers) {
  Linked linked;
  EXPECT_EQ(linked.open(nullptr), WEFT_ERROR_CORRUPT);
  EXPECT_EQ(linked.open(linked.weight + 1), WEFT_ERROR_CORRUPT);
  weft_model *opened;
  EXPECT_EQ(weft_open_linked(&linked.model, nullptr, nullptr, &opened), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_open_linked(nullptr, nullptr, nullptr, &opened), WEFT_ERROR_ARGUMENT);
}

TEST(Descriptor, NoVariantForThisCpu) {
  Linked linked;
  linked.variant.required_features = UINT64_C(1) << 50;
  EXPECT_EQ(linked.open(linked.weight), WEFT_ERROR_INCOMPATIBLE);
}

// What is broken, and the message that says so.
#define EXPECT_MALFORMED(damage, text)                                                                                 \
  do {                                                                                                                 \
    Linked linked;                                                                                                     \
    damage;                                                                                                            \
    EXPECT_EQ(linked.refusal(), std::string(kMalformed) + text);                                                       \
  } while (false)

TEST(Descriptor, MalformedModels) {
  EXPECT_MALFORMED(linked.model.compiler = nullptr, "it has no name");
  EXPECT_MALFORMED(linked.model.entry_count = 0, "it has no entry: linked");
  EXPECT_MALFORMED(linked.model.entry_count = -1, "a count and its array do not fit: entries");
  EXPECT_MALFORMED(linked.model.parameters = nullptr, "a count and its array do not fit: parameters");
  EXPECT_MALFORMED(linked.entries[1].name = "f", "an entry comes twice: f");
  EXPECT_MALFORMED(linked.parameter.dtype = 77, "a weight's element type is unknown: w");
  EXPECT_MALFORMED(linked.parameter.rank = 9, "a weight's rank is not 0 to 8: w");
  EXPECT_MALFORMED(linked.weightShape[0] = -1, "a weight's extent is negative: w");
}

TEST(Descriptor, MalformedEntries) {
  EXPECT_MALFORMED(linked.shape[0] = -2, "a tensor's extent names no dimension: x");
  EXPECT_MALFORMED(linked.inputs[0].name = "", "a tensor has no name: f");
  EXPECT_MALFORMED(linked.inputs[1].name = "x", "an input comes twice: x");
  EXPECT_MALFORMED(linked.inputs[0].dtype = 0, "a tensor's element type is unknown: x");
  EXPECT_MALFORMED(linked.inputs[0].dtype = WEFT_F32, "an index limit is on a tensor of numbers that are not whole: x");
  EXPECT_MALFORMED(linked.inputs[1].default_value = 4, "a default value is not below its index limit: m");
  EXPECT_MALFORMED(linked.output.rank = -1, "a tensor's rank is not 0 to 8: y");
  EXPECT_MALFORMED(linked.dim.min = 9, "a dimension's bounds are not in order: n");
  EXPECT_MALFORMED(linked.inputs[0].rank = 0, "a dimension is in no input that must be given, and in no state: n");
  EXPECT_MALFORMED(linked.variant.run = nullptr, "a code variant lacks its name or a function: f");
  EXPECT_MALFORMED(linked.entries[0].variant_count = 0, "an entry has no code: f");
}

TEST(Descriptor, MalformedVariants) {
  EXPECT_MALFORMED(linked.variant.device = 2, "a code variant's device is unknown: portable");
  EXPECT_MALFORMED(linked.variant.architecture = 80, "a code variant's architecture does not fit its device: portable");
  EXPECT_MALFORMED(linked.variant.device = WEFT_DEVICE_CUDA,
                   "a code variant's architecture does not fit its device: portable");
  EXPECT_MALFORMED(linked.variant.architecture_specific = 1,
                   "a code variant's architecture_specific is not 0 or 1, or is that of a CPU: portable");
}

TEST(Descriptor, MalformedKernels) {
#define EXPECT_MALFORMED_KERNEL(damage, text) EXPECT_MALFORMED(linked.addKernels(); damage, text)
  EXPECT_MALFORMED(linked.model.kernel_count = 1, "a count and its array do not fit: kernels");
  EXPECT_MALFORMED_KERNEL(linked.kernels[0].name = "../k", "a kernel's name is not of letters, digits, _ and $: sm_80");
  EXPECT_MALFORMED_KERNEL(linked.kernels[0].target = "", "a kernel's target is not of letters, digits, _ and $: k");
  EXPECT_MALFORMED_KERNEL(linked.kernels[1].threads = 1025, "a kernel's threads are not 1 to 1024: l");
  EXPECT_MALFORMED_KERNEL(linked.kernels[1].shared_bytes = -1, "a kernel's shared memory is not 0 to 1048576 bytes: l");
  EXPECT_MALFORMED_KERNEL(linked.kernels[1].scratch_bytes = -1, "a kernel's scratch for a block is negative: l");
  EXPECT_MALFORMED_KERNEL(linked.kernels[0].parameter_count = 4094,
                          "a kernel has more parameters than a launch takes, or less than none: k");
  EXPECT_MALFORMED_KERNEL(linked.kernels[0].target = "sm_90", "a kernel's target is that of no CUDA code variant: k");
  EXPECT_MALFORMED_KERNEL((linked.kernels[1].name = "k", linked.kernels[1].threads = 7),
                          "a kernel comes twice for a target, and differs: k");
  EXPECT_MALFORMED_KERNEL(linked.kernels[1].target = "sm_90a", "the kernels of a target do not lie together: m");
#undef EXPECT_MALFORMED_KERNEL
}

TEST(Descriptor, VariantsForGpusBesideThoseForCpus) {
  Linked linked;
  linked.addKernels();
  EXPECT_EQ(linked.open(linked.weight), WEFT_OK) << weft_last_error();
  linked.kernels[1].name = "k"; // equal kernels are one file
  EXPECT_EQ(linked.open(linked.weight), WEFT_OK) << weft_last_error();
}

TEST(Descriptor, IsShownByTheApi) {
  Linked linked;
  const void *weights[] = {linked.weight};
  weft_model *model;
  ASSERT_EQ(weft_open_linked(&linked.model, weights, nullptr, &model), WEFT_OK);
  weft_entry_info entry;
  ASSERT_EQ(weft_model_entry(model, 1, &entry), WEFT_OK);
  EXPECT_STREQ(entry.name, "g");
  EXPECT_STREQ(entry.variant, "portable");
  EXPECT_EQ(entry.input_count, 2u);
  EXPECT_EQ(weft_model_entry(model, 2, &entry), WEFT_ERROR_ARGUMENT);
  weft_dim_info dim;
  ASSERT_EQ(weft_model_dim(model, nullptr, 0, &dim), WEFT_OK);
  EXPECT_EQ(dim.max, 8);
  weft_tensor_info tensor;
  ASSERT_EQ(weft_model_input(model, "f", 1, &tensor), WEFT_OK);
  EXPECT_STREQ(tensor.name, "m");
  EXPECT_EQ(tensor.shape[0], -1);
  EXPECT_STREQ(tensor.dim_names[0], "n");
  EXPECT_EQ(tensor.optional, 1);
  ASSERT_EQ(weft_model_output(model, "g", 0, &tensor), WEFT_OK);
  EXPECT_STREQ(weft_dtype_name(tensor.dtype), "f32");
  EXPECT_EQ(weft_model_output(model, "h", 0, &tensor), WEFT_ERROR_ARGUMENT);
  weft_close(model);
}

TEST(Descriptor, ElementTypes) {
  EXPECT_STREQ(weft_dtype_name(WEFT_BF16), "bf16");
  EXPECT_EQ(weft_dtype_size(WEFT_I64), 8u);
  EXPECT_STREQ(weft_dtype_name(0), "unknown");
  EXPECT_EQ(weft_dtype_size(-3), 0u);
}
