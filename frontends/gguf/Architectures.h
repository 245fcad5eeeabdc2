// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a GGUF file spells what a Hugging Face folder says: tables from its metadata to config.json's fields, and from
// its tensors' names to those of safetensors. The architectures themselves are frontends/hf's.
#ifndef WEFT_FRONTENDS_GGUF_ARCHITECTURES_H
#define WEFT_FRONTENDS_GGUF_ARCHITECTURES_H

#include "frontends/gguf/Metadata.h"

#include <nlohmann/json.hpp>

#include <span>
#include <string_view>

namespace weft::gguf {

/// `ARCHITECTURE.key` of the metadata is config.json's `field`. A null field: it says nothing that changes a result, or
/// an architecture's `finish` reads it.
struct ConfigField {
  const char *key;
  const char *field;
};

/// What llama.cpp's converter did to a tensor, undone.
enum class Change {
  None,
  /// The rows of each head were put in pairs that turn together: 2i and 2i + 1 are rows i and i + d/2.
  QueryRows,
  KeyRows,     ///< the same, with the heads of keys
  PlusOne,     ///< 1 was added
  NegativeExp, ///< A = -exp(A_log) was stored
  MiddleOne,   ///< [a, b] was [a, 1, b]
  LeadingOne,  ///< [a] was [1, a]
  Flat,        ///< was [a · b]
  Experts,     ///< [experts, a, b] was a tensor [a, b] for each, whose name has * for its number
};

/// # stands for a layer's number. Of a tensor whose name ends in .weight, a bias has the same row.
struct TensorName {
  const char *gguf;
  const char *name;
  Change change = Change::None;
};

/// Values that an architecture's rows do not say.
struct ModelFacts {
  const Metadata &metadata;
  std::string prefix; ///< "llama."

  const Value *find(std::string_view key) const;
  /// A number of the metadata; `byDefault` when it is absent.
  double number(std::string_view key, double byDefault) const;
  /// The same as a count from 1 to 2^28; 1 when it is none.
  int64_t count(std::string_view key) const;
};

struct GgufArchitecture {
  const char *name;      ///< general.architecture
  const char *modelType; ///< config.json's model_type
  std::span<const std::span<const ConfigField>> fields;
  std::span<const std::span<const TensorName>> tensors;
  void (*finish)(nlohmann::json &config, const ModelFacts &facts) = nullptr;
};

std::span<const GgufArchitecture> ggufArchitectures();

} // namespace weft::gguf

#endif // WEFT_FRONTENDS_GGUF_ARCHITECTURES_H
