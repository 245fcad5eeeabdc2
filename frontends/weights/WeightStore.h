// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weights of a Hugging Face directory, whichever files they lie in and by whichever of their names one asks.
#ifndef WEFT_FRONTENDS_WEIGHTS_WEIGHTSTORE_H
#define WEFT_FRONTENDS_WEIGHTS_WEIGHTSTORE_H

#include "frontends/diagnostic/Diagnostic.h"
#include "frontends/weights/FloatValues.h"
#include "frontends/weights/Safetensors.h"

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class WeightStore {
public:
  /// Takes model.safetensors, or else the shards of model.safetensors.index.json. Errors: those of the files, W0130
  /// (no weights), W0131 (only a pickle), W0132 to W0134 (index and shards), W0138 (blocks and scales).
  static Result<WeightStore> open(const std::filesystem::path &directory);

  /// Tensors of another kind of file, under the names of a Hugging Face folder, of which no two are one. `owner` keeps
  /// what they point into.
  static WeightStore of(std::vector<TensorView> tensors, std::string place, std::shared_ptr<const void> owner);

  /// Base-class prefix of the architecture, without the dot ("bert"). Files of the base class lack it, files of a class
  /// with a head have it; find bridges the two.
  void setBasePrefix(std::string prefix) { basePrefix = std::move(prefix); }

  /// The tensor of this name; else with the base prefix added or taken away; else, for each of these, a norm's old
  /// names (gamma for weight, beta for bias). Null when there is none. Where the files hold NAME_blocks [..., n, 16]
  /// and NAME_scales [..., n], NAME is the tensor [..., 32 · n] of four bits that these are.
  const TensorView *find(std::string_view name) const;

  /// As find, where absence or another shape is the user's mistake: W0136, W0137.
  Result<const TensorView *> require(std::string_view name, std::span<const int64_t> shape) const;

  /// All names as stored, sorted.
  std::vector<std::string_view> names() const;

  /// The directory or file, for diagnostics.
  const std::string &place() const { return directory; }

private:
  WeightStore() = default;

  Result<void> openFiles();
  Result<void> openShards(const std::filesystem::path &index);
  /// Names the tensors of four bits.
  Result<void> joinBlocks();
  const TensorView *findStored(const std::string &name) const;

  std::string directory;
  std::string basePrefix;
  std::vector<SafetensorsFile> files;
  std::shared_ptr<const void> owner;
  std::deque<TensorView> joined;                         ///< their bytes are those of files or of the owner
  std::map<std::string_view, const TensorView *> byName; ///< both point into files or joined
};

} // namespace weft

#endif // WEFT_FRONTENDS_WEIGHTS_WEIGHTSTORE_H
