// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects into code of this process: what the linker does for an artifact, LLVM ORC does here, with the same objects.
#ifndef WEFT_COMPILER_JIT_JITENGINE_H
#define WEFT_COMPILER_JIT_JITENGINE_H

#include "compiler/emit/ObjectEmitter.h"
#include "runtime/include/weft/abi.h"

#include <memory>
#include <vector>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace weft {

class JitEngine {
public:
  /// Links the objects, the descriptor's among them. W0690: LLVM cannot link them.
  static Result<JitEngine> link(const std::vector<Object> &objects);

  JitEngine(JitEngine &&) noexcept;
  JitEngine &operator=(JitEngine &&) noexcept;
  ~JitEngine();

  /// Lives as long as the engine.
  const weft_abi_model *descriptor() const { return model; }

private:
  JitEngine() = default;

  std::unique_ptr<llvm::orc::LLJIT> jit;
  const weft_abi_model *model = nullptr;
};

} // namespace weft

#endif // WEFT_COMPILER_JIT_JITENGINE_H
