// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a builder asks whether a weight exists, under which name and in which shape. It never sees the values.
#ifndef WEFT_FRONTENDS_BUILDER_PARAMETERSOURCE_H
#define WEFT_FRONTENDS_BUILDER_PARAMETERSOURCE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A tensor in a model's files.
struct StoredTensor {
  std::string name;  ///< as the file spells it
  std::string dtype; ///< as safetensors spells it: "F32", "BF16", …; or "MXFP4"
  std::vector<int64_t> shape;
};

class ParameterSource {
public:
  virtual ~ParameterSource() = default;

  /// The stored tensor that holds the parameter of this canonical name, if there is one.
  virtual std::optional<StoredTensor> find(std::string_view name) const = 0;

  /// Names the files in diagnostics.
  virtual std::string place() const = 0;
};

} // namespace weft

#endif // WEFT_FRONTENDS_BUILDER_PARAMETERSOURCE_H
