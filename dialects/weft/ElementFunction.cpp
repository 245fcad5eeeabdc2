// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/ElementFunction.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

namespace weft {

static constexpr ElementFunction kFunctions[] = {
    {"arith.negf", [](double x) { return -x; }},
    {"math.absf", [](double x) { return std::fabs(x); }},
    {"math.exp", [](double x) { return std::exp(x); }},
    {"math.exp2", [](double x) { return std::exp2(x); }},
    {"math.log", [](double x) { return std::log(x); }},
    {"math.log1p", [](double x) { return std::log1p(x); }},
    {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }},
    {"math.sqrt", [](double x) { return std::sqrt(x); }},
    {"math.tanh", [](double x) { return std::tanh(x); }},
};

llvm::ArrayRef<ElementFunction> elementFunctions() { return kFunctions; }

const ElementFunction *findElementFunction(llvm::StringRef name) {
  const auto *found = llvm::find_if(kFunctions, [&](const ElementFunction &f) { return f.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

} // namespace weft
