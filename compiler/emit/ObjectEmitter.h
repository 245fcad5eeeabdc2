// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module in the LLVM dialect into the bytes of an ELF object, in memory: LLVM IR, a short run of LLVM's optimiser,
// the code generator. The phases made the vector code already, so LLVM's own vectorisers stay off.
#ifndef WEFT_COMPILER_EMIT_OBJECTEMITTER_H
#define WEFT_COMPILER_EMIT_OBJECTEMITTER_H

#include "compiler/Target.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace weft {

/// A relocatable object and the name it goes by: "v4".
struct Object {
  std::string name;
  std::string bytes;
};

/// The symbol of an entry's function in the variant for `target`; `what` is "run" or "arena".
std::string variantSymbol(llvm::StringRef entry, llvm::StringRef what, const Target &target);

/// Emits `weft_<entry>_run` and `weft_<entry>_arena` of each entry under their variant's symbols, hidden; all else is
/// internal. For a GPU this is the host's part, for any x86-64, of a module without the device's. W0690: LLVM refuses
/// the module, which is a bug of a phase.
Result<Object> emitObject(mlir::ModuleOp module, const Target &target, const std::vector<std::string> &entries);

/// Emits a module of constant data.
Result<Object> emitData(llvm::Module &module, std::string name);

} // namespace weft

#endif // WEFT_COMPILER_EMIT_OBJECTEMITTER_H
