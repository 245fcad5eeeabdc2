// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks of a model's descriptor, made once when the model is opened, so
// that sessions and calls can rely on it.
#ifndef WEFT_RUNTIME_CORE_DESCRIPTOR_H
#define WEFT_RUNTIME_CORE_DESCRIPTOR_H

#include "runtime/core/Error.h"

#include <cstring>

namespace weft::runtime {

/// Checks everything that can be checked without running the model's code.
weft_status checkDescriptor(const weft_abi_model &model, const Place &place);

/// What runs a model's code.
struct Machine {
  uint64_t features = 0;    // of the CPU
  int32_t architecture = 0; // of the GPU that the model is on, 90: compute capability 9.0; 0: it is on the CPU
};

/// An entry that has no variant for a CPU with these features; null when there is none.
const weft_abi_entry *entryWithoutCode(const weft_abi_model &model, uint64_t features);

/// Says what such an entry needs.
weft_status failCpu(const weft_abi_entry &entry, uint64_t features, const Place &place);

/// The best variant that the machine can run, of this name when it is not
/// null; null when there is none. On a GPU that is the best or none: the
/// kernels of others are not loaded.
const weft_abi_variant *pickVariant(const weft_abi_entry &entry, const Machine &machine, const char *name);

/// Says why pickVariant found none of this name.
weft_status failVariant(const weft_abi_entry &entry, const Machine &machine, const char *name);

/// The entry of this name, the first for a null name; null when there is none,
/// with the error recorded.
const weft_abi_entry *findEntry(const weft_abi_model &model, const char *name);

/// The dimension that an extent of weft_abi_tensor.shape names, or -1.
inline int32_t dimOf(int64_t extent) { return extent < 0 ? static_cast<int32_t>(-(extent + 1)) : -1; }

/// Whether two kernels are the same file: compiled code counts kernels, of which some are equal.
inline bool isSame(const weft_abi_kernel &a, const weft_abi_kernel &b) {
  return strcmp(a.name, b.name) == 0 && strcmp(a.target, b.target) == 0;
}

/// The entry's dimension of this name, or -1.
int32_t findDim(const weft_abi_entry &entry, const char *name);

/// Whether an extent of the state is the dimension of this name.
bool usesDim(const weft_abi_model &model, const weft_abi_state &state, const char *name);

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_DESCRIPTOR_H
