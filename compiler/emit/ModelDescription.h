// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module's entries and parameters as plain data: what the descriptor, the header and the manifest say about a model.
// Read from the attributes that every entry carries from import on:
//
//   module attributes {weft.model = "bert", weft.dim_bounds = {batch = array<i64: 1, 64>}}
//   func.func @encode(%ids: tensor<?xi64> {weft.name = "input_ids", weft.dims = ["batch"], weft.index_limit = 99 :
//   i64})
//       -> (tensor<?xf32> {weft.name = "out", weft.dims = ["batch"]}) attributes {weft.entry}
//
// A state is an argument and a result of one name, both marked `weft.state`.
//
// After outline the outputs are arguments marked `weft.output`, a state is an argument only, and the module lists
// `weft.parameters`.
#ifndef WEFT_COMPILER_EMIT_MODELDESCRIPTION_H
#define WEFT_COMPILER_EMIT_MODELDESCRIPTION_H

#include "frontends/diagnostic/Diagnostic.h"
#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// A named dimension with inclusive bounds.
struct DimDescription {
  std::string name;
  int64_t min;
  int64_t max;
};

struct TensorDescription {
  std::string name;
  int32_t dtype;              ///< WEFT_F32, …
  std::vector<int64_t> shape; ///< as in weft_abi_tensor: -(d + 1) stands for the entry's dimension d
  int64_t indexLimit = 0;
  std::optional<int64_t> defaultValue;
};

struct EntryDescription {
  std::string name;
  std::vector<DimDescription> dims; ///< in the order in which the inputs and states name them first
  std::vector<TensorDescription> inputs;
  std::vector<TensorDescription> outputs;
  std::vector<int32_t> states = {}; ///< positions in ModelDescription::states
};

/// What a session keeps from call to call.
struct StateDescription {
  std::string name;
  int32_t dtype;
  std::vector<int64_t> shape; ///< -(d + 1) stands for ModelDescription::stateDims[d]
  int64_t indexLimit = 0;
  std::string fills = {}, fillsBy = {}; ///< as in weft_abi_state; empty: it counts no places

  bool operator==(const StateDescription &) const = default;
};

/// How a matrix is cut into column panels (`#weft.panels`).
struct PanelsDescription {
  int64_t width;
  bool outByIn;
  bool int8 = false;     ///< rounded to 8 bits: the panels, or their scales
  std::string form = {}; ///< a form of groups (dialects/weft/GroupForm.h); empty: none
};

/// A weight as generated code reads it, and the tensors of the model's files that it is made of.
struct ParameterDescription {
  std::string name;
  std::vector<std::string> sources;
  std::optional<PanelsDescription> panels;
  int32_t dtype;
  std::vector<int64_t> shape;
  std::vector<std::string> functions = {}; ///< of dialects/weft/ElementFunction.h, applied in this order
  std::vector<int64_t> order = {};         ///< of the source's dimensions; empty: as they are

  int64_t elements() const;
  int64_t bytes() const;
};

struct ModelDescription {
  std::string name;
  std::vector<EntryDescription> entries;
  std::vector<ParameterDescription> parameters;
  std::vector<StateDescription> states = {}; ///< of all entries, each once
  std::vector<std::string> stateDims = {};   ///< the dimensions that states have
  std::vector<int64_t> endTokens = {};       ///< of a model that continues texts: those that end one

  std::vector<std::string> entryNames() const;
};

/// "weft 0.1.0 (LLVM 22.1.8)"
std::string compilerVersion();

/// Bytes of an element of this WEFT_ type.
int64_t dtypeSize(int32_t dtype);

/// Errors: W0605 (an entry without the attributes above, or a type that the ABI has no number for).
Result<ModelDescription> describeModel(mlir::ModuleOp module);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_MODELDESCRIPTION_H
