// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A copy of a module in a context of its own, so that compilations share nothing: they may run at the same time, and
// what one says about its errors and missed speed is not mixed with another's.
#ifndef WEFT_COMPILER_ISOLATEDMODULE_H
#define WEFT_COMPILER_ISOLATEDMODULE_H

#include "compiler/include/weft/Compiler.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace weft {

/// What a location tells a user: the layer's name, else file:line:column, else nothing.
std::string placeOf(mlir::Location location);

/// The module as text that can be read back, with its layers' names.
std::string printModule(mlir::ModuleOp module);

/// What MLIR said was wrong.
struct CapturedError {
  std::string message;
  std::string place;
};

class IsolatedModule {
public:
  /// Copies by bytecode.
  IsolatedModule(mlir::ModuleOp original, bool wantsRemarks);
  ~IsolatedModule();
  IsolatedModule(const IsolatedModule &) = delete;
  IsolatedModule &operator=(const IsolatedModule &) = delete;

  mlir::ModuleOp get() { return *module; }

  /// Named in remarks from now on.
  void setPhase(std::string_view name) { phase = name; }

  std::vector<CapturedError> takeErrors() { return std::move(errors); }
  std::vector<Remark> takeRemarks();

private:
  void listen(bool wantsRemarks);

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string phase;
  std::vector<CapturedError> errors;
  std::vector<Remark> remarks;
};

} // namespace weft

#endif // WEFT_COMPILER_ISOLATEDMODULE_H
