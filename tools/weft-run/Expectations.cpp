// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft-run/Expectations.h"

#include "compiler/Graph.h"
#include "lowering/normalize/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <cstdio>

namespace weft {
namespace {

constexpr llvm::StringLiteral kMismatches = ".mismatches";

/// The one number in the output of this name.
template <class T> T numberIn(const std::vector<Array> &outputs, const std::string &name) {
  for (const Array &output : outputs)
    if (output.name == name)
      return output.values<T>().front();
  assert(false && "each expectation has its outputs");
  return T();
}

/// Each expectation has one output for its mismatches.
CheckedEntry readEntry(mlir::func::FuncOp function) {
  CheckedEntry entry{function.getName().str(), {}};
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    auto limits = function.getResultAttrOfType<mlir::DictionaryAttr>(i, "weft.check");
    auto name = function.getResultAttrOfType<mlir::StringAttr>(i, "weft.name");
    if (!limits || !name.getValue().ends_with(kMismatches))
      continue;
    Expectation expectation{name.getValue().drop_back(kMismatches.size()).str(), std::nullopt};
    if (auto bound = limits.getAs<mlir::FloatAttr>("relative_rms"))
      expectation.relativeRms = bound.getValueAsDouble();
    entry.expectations.push_back(std::move(expectation));
  }
  return entry;
}

bool report(const std::string &line, const Expectation &expectation, const std::vector<Array> &outputs) {
  auto mismatches = static_cast<long long>(numberIn<int64_t>(outputs, expectation.name + kMismatches.str()));
  if (!expectation.relativeRms) {
    std::printf("%s %s: %lld elements differ\n", mismatches ? "FAIL" : "ok  ", line.c_str(), mismatches);
    return mismatches == 0;
  }
  double error = numberIn<double>(outputs, expectation.name + ".error");
  double size = numberIn<double>(outputs, expectation.name + ".size");
  double bound = *expectation.relativeRms, relative = error == 0 ? 0 : std::sqrt(error / size);
  bool met = mismatches == 0 && std::sqrt(error) <= bound * std::sqrt(size);
  std::printf("%s %s: relative RMS %.2e, at most %.2e", met ? "ok  " : "FAIL", line.c_str(), relative, bound);
  if (mismatches)
    std::printf("; %lld elements differ in kind or by too many ulps", mismatches);
  std::printf("\n");
  return met;
}

} // namespace

Result<std::vector<CheckedEntry>> prepareChecks(const Graph &graph) {
  mlir::ModuleOp module = *graph.impl().module;
  mlir::PassManager passes(module.getContext());
  passes.addPass(createNormalizeCheck());
  std::string message;
  mlir::ScopedDiagnosticHandler handler(module.getContext(),
                                        [&](mlir::Diagnostic &diagnostic) { message = diagnostic.str(); });
  if (failed(passes.run(module)))
    return Diagnostic{"W0602", message, "", "see the check dialect in docs/spec.md"};
  std::vector<CheckedEntry> entries;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    CheckedEntry entry = readEntry(function);
    if (entry.expectations.empty())
      continue;
    if (function.getNumArguments())
      return Diagnostic{"W0605", "entry '" + entry.name + "' has expectations and inputs", "",
                        "make the inputs constants: nobody gives them values here"};
    entries.push_back(std::move(entry));
  }
  if (entries.empty())
    return Diagnostic{"W0605", "no entry expects anything", "",
                      "compare values with check.expect_close or check.expect_eq in a function with weft.entry"};
  return entries;
}

bool reportChecks(const std::string &variant, const CheckedEntry &entry, const std::vector<Array> &outputs) {
  bool all = true;
  for (const Expectation &expectation : entry.expectations)
    all &= report(variant + " @" + entry.name + " " + expectation.name, expectation, outputs);
  return all;
}

} // namespace weft
