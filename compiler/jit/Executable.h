// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is behind Executable and Session of weft/Compiler.h.
#ifndef WEFT_COMPILER_JIT_EXECUTABLE_H
#define WEFT_COMPILER_JIT_EXECUTABLE_H

#include "compiler/emit/Parameters.h"
#include "compiler/include/weft/Compiler.h"
#include "compiler/jit/JitEngine.h"
#include "runtime/include/weft/runtime.h"

namespace weft {

/// The calling thread's last error of the runtime.
Diagnostic runtimeError();

struct Executable::Impl {
  Impl(JitEngine engine, ParameterBlock parameters) : engine(std::move(engine)), parameters(std::move(parameters)) {}
  ~Impl() { weft_close(model); }

  JitEngine engine;
  ParameterBlock parameters;
  weft_model *model = nullptr; ///< refers to both of the above
};

struct Session::Impl {
  ~Impl() { weft_session_free(session); }

  std::shared_ptr<Executable::Impl> executable;
  weft_session *session = nullptr;
};

} // namespace weft

#endif // WEFT_COMPILER_JIT_EXECUTABLE_H
