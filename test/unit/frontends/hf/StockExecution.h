// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs an imported program without Weft's lowering: weft ops by their definitions, the rest by MLIR's own passes.
#ifndef WEFT_TEST_UNIT_FRONTENDS_HF_STOCKEXECUTION_H
#define WEFT_TEST_UNIT_FRONTENDS_HF_STOCKEXECUTION_H

#include "frontends/weights/WeightStore.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weft::test {

struct FloatTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

struct IntTensor {
  std::vector<int64_t> shape;
  std::vector<int64_t> values;
};

/// The entries of a module, compiled.
class StockProgram {
public:
  /// Takes the weights as f32. Null when a pass fails, with the reason on stderr.
  static std::unique_ptr<StockProgram> compile(mlir::OwningOpRef<mlir::ModuleOp> module, const WeightStore &weights);

  /// Outputs by name, of the first entry or the one named. An input that is not given holds its declared default.
  std::map<std::string, FloatTensor> run(const std::map<std::string, IntTensor> &inputs, const std::string &entry = "");

  /// Forgets what calls have left in the states: zeros again.
  void reset() { states.clear(); }

private:
  struct Port {
    std::string name;
    std::vector<int64_t> shape; ///< negative where dynamic
    int64_t byDefault;
    bool isState;
    int64_t words; ///< of 32 bits in an element
  };
  struct Entry {
    std::vector<Port> inputPorts, outputPorts;
    std::vector<FloatTensor> parameters;
  };

  static Entry describe(mlir::func::FuncOp function, const WeightStore &weights);
  FloatTensor &stateFor(const Port &port, int64_t batch);

  std::map<std::string, Entry> entries;
  std::string first;
  std::map<std::string, FloatTensor> states;
  std::unique_ptr<mlir::ExecutionEngine> engine;
};

} // namespace weft::test

#endif // WEFT_TEST_UNIT_FRONTENDS_HF_STOCKEXECUTION_H
