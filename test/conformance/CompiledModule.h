// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The text of a module through the whole compiler, and calls of its entries with every code variant that this processor
// has; or, where the environment's WEFT_CONFORMANCE_TARGET says nvptx:sm_90a, on the CUDA driver's first device. Arrays
// lie in guarded memory (GuardedMemory.h) and outputs hold NaN before a call, so each comparison of values is a check
// of bounds and of stores too.
#ifndef WEFT_TEST_CONFORMANCE_COMPILEDMODULE_H
#define WEFT_TEST_CONFORMANCE_COMPILEDMODULE_H

#include "compiler/include/weft/Compiler.h"
#include "test/conformance/GuardedMemory.h"

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct weft_model;
struct weft_session;

namespace weft::test {

using Arrays = std::vector<Array>;

struct RunOptions {
  int threads = 1;
  Flush flush = Flush::AtEnd;
};

/// The text with every occurrence of each first string replaced by the second; no second holds its first.
std::string replaced(std::string text, std::initializer_list<std::pair<std::string, std::string>> values);

/// Whether products with weights in bf16 round their rows to it too: tiles and dot products take nothing else.
inline bool roundsRows(const std::string &variant) {
  return variant.starts_with("amx") || variant.starts_with("v4-bf16");
}

/// The same of f32 rows alone: matrix units of GPUs round them, to the type of the weight, and leave halves to vectors.
inline bool roundsFloatRows(const std::string &variant) { return roundsRows(variant) || variant.starts_with("sm_"); }

class CompiledModule {
public:
  /// Ends the program with the diagnostic where the text does not compile. `weights` become the file beside it.
  /// Without `targets`, for all levels.
  explicit CompiledModule(const std::string &text, const Arrays &weights = {}, const std::string &targets = "");
  ~CompiledModule();

  /// "v4", "v3", "portable": those that this processor runs.
  const std::vector<std::string> &variants() const { return names; }

  /// All outputs of an entry, in the order of its results.
  Arrays run(const std::string &variant, const std::string &entry, const Arrays &inputs, RunOptions options = {});
  /// States are 0 again.
  void reset(const std::string &variant, int threads = 1);

private:
  void compileForCpu(const Graph &graph, CompileOptions options, const std::string &targets, const std::string &text);
  void openOnDevice(const Graph &graph, CompileOptions options, const std::string &target, const std::string &path,
                    const std::string &text);
  weft_session *session(const std::string &variant, int threads);

  std::unique_ptr<Context> context;
  std::unique_ptr<Executable> executable; ///< of a CPU
  weft_model *model = nullptr;            ///< the executable's, or an artifact's on a device
  std::vector<std::string> names;
  std::map<std::pair<std::string, int>, weft_session *> sessions;
};

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_COMPILEDMODULE_H
