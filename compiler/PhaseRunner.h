// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs one phase on one module: the verifier after every pass, a file in the dump folder, a reproducer when a pass
// fails or crashes, and MLIR's errors as one Diagnostic.
#ifndef WEFT_COMPILER_PHASERUNNER_H
#define WEFT_COMPILER_PHASERUNNER_H

#include "compiler/IsolatedModule.h"
#include "compiler/Phases.h"

namespace weft {

struct PhaseRunner {
  std::string dumpDir;       ///< empty: none
  std::string reproducerDir; ///< empty: the working directory
  bool handWritten;          ///< the module is a user's text: that a pass refuses it may be the user's mistake

  /// `variant` tells the modules of a phase apart ("v3"); empty where there is one. Errors: W0601 (our mistake), W0603.
  Result<void> run(const Phase &phase, IsolatedModule &module, std::string_view variant) const;

  /// Writes the module that `phase` could not take, for a report, and names the file in the diagnostic.
  Diagnostic withReproducer(Diagnostic error, const Phase &phase, mlir::ModuleOp module,
                            std::string_view variant) const;

  /// 05-tile-v3.mlir. Errors: W0630.
  Result<void> dump(const Phase &phase, mlir::ModuleOp module, std::string_view variant) const;
};

} // namespace weft

#endif // WEFT_COMPILER_PHASERUNNER_H
