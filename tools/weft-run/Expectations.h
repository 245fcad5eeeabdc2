// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the `check` ops of a module expect, and whether the outputs that stand for them (weft-normalize-check) say so.
#ifndef WEFT_TOOLS_WEFT_RUN_EXPECTATIONS_H
#define WEFT_TOOLS_WEFT_RUN_EXPECTATIONS_H

#include "compiler/include/weft/Compiler.h"

#include <optional>
#include <string>
#include <vector>

namespace weft {

struct Expectation {
  std::string name;                  ///< "check.0"
  std::optional<double> relativeRms; ///< of expect_close
};

/// An entry without inputs.
struct CheckedEntry {
  std::string name;
  std::vector<Expectation> expectations;
};

/// Turns the graph's expectations into outputs and lists the entries that have some. An entry with expectations must
/// have no inputs: nobody could give them.
Result<std::vector<CheckedEntry>> prepareChecks(const Graph &graph);

/// Prints a line for each expectation; false where one is not met.
bool reportChecks(const std::string &variant, const CheckedEntry &entry, const std::vector<Array> &outputs);

} // namespace weft

#endif // WEFT_TOOLS_WEFT_RUN_EXPECTATIONS_H
