// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's stored tensors into the parameters that generated code reads: f32, several tensors joined into one,
// matrices cut into panels. One parameter is in memory at a time.
//
//   q.weight [384, 384], k.weight [384, 384]  ->  layer.0.qk [ceil(768 / 16), 384, 16]
#ifndef WEFT_COMPILER_EMIT_PARAMETERS_H
#define WEFT_COMPILER_EMIT_PARAMETERS_H

#include "compiler/emit/ModelDescription.h"
#include "frontends/weights/Safetensors.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// Where the tensors of a model's files are found by name.
struct TensorLookup {
  std::function<const TensorView *(std::string_view)> find;
  std::string place; ///< for diagnostics
};

/// Fills `out`, which has the parameter's bytes. Errors: W0606 (no such tensor), W0607 (another shape or type),
/// W0616 (not finite), W0619 (beyond f16), W0135.
Result<void> fillParameter(const ParameterDescription &parameter, const TensorLookup &tensors,
                           std::span<std::byte> out);

/// Writes all parameters as safetensors. `onShare` hears the share that is done.
Result<void> writeParameters(const std::filesystem::path &path, const std::vector<ParameterDescription> &parameters,
                             const TensorLookup &tensors, const std::function<void(double)> &onShare);

/// All parameters in one block of memory, each aligned to 64 bytes.
class ParameterBlock {
public:
  static Result<ParameterBlock> create(const std::vector<ParameterDescription> &parameters,
                                       const TensorLookup &tensors);

  /// In the order of the descriptor.
  const std::vector<const void *> &pointers() const { return addresses; }

private:
  std::unique_ptr<std::byte, void (*)(void *)> block{nullptr, nullptr};
  std::vector<const void *> addresses;
};

} // namespace weft

#endif // WEFT_COMPILER_EMIT_PARAMETERS_H
