// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs weft ops by their definitions, through MLIR's own passes: what the ops mean, without Weft's lowering.
#ifndef WEFT_TEST_UNIT_DIALECTS_DEFINITIONEXECUTION_H
#define WEFT_TEST_UNIT_DIALECTS_DEFINITIONEXECUTION_H

#include "mlir/ExecutionEngine/ExecutionEngine.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace weft::test {

/// A dense array as MLIR passes it to a function: pointers, offset, extents, strides.
class Argument {
public:
  template <typename T>
  Argument(std::vector<T> &values, std::vector<int64_t> extents)
      : Argument(static_cast<void *>(values.data()), extents) {}
  void *descriptor() { return words.data(); }

private:
  Argument(void *data, const std::vector<int64_t> &extents);
  std::vector<int64_t> words;
};

/// The function @run of a module, on memrefs, without results.
class DefinitionProgram {
public:
  /// Null when the text does not parse or does not lower; the reason is on stderr. With tile sizes, one for each loop
  /// (0: not cut), the weft op is cut into loops over tiles first.
  static std::unique_ptr<DefinitionProgram> compile(const std::string &text,
                                                    const std::vector<int64_t> &tileSizes = {});
  bool run(std::vector<Argument> arguments);

private:
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<mlir::ExecutionEngine> engine;
};

/// Normally distributed values, the same in every run.
std::vector<float> randomValues(size_t count, unsigned seed);

inline std::vector<double> widened(const std::vector<float> &values) { return {values.begin(), values.end()}; }

} // namespace weft::test

#endif // WEFT_TEST_UNIT_DIALECTS_DEFINITIONEXECUTION_H
