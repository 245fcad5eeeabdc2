// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/jit/JitEngine.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/Support/MemoryBuffer.h"

namespace weft {
namespace {

namespace orc = llvm::orc;

Diagnostic linkFailed(llvm::Error error) {
  return {"W0690", "the code cannot be linked into this process: " + llvm::toString(std::move(error)), "jit",
          "this is a bug in Weft, please report it with the model's config.json and the command"};
}

/// JITLink, with nothing around it: the objects have no initialisers, no thread locals and no unwind tables.
llvm::Expected<std::unique_ptr<orc::LLJIT>> createJit() {
  return orc::LLJITBuilder()
      .setJITTargetMachineBuilder(orc::JITTargetMachineBuilder(llvm::Triple("x86_64-unknown-linux-gnu")))
      .setObjectLinkingLayerCreator(
          [](orc::ExecutionSession &session) { return std::make_unique<orc::ObjectLinkingLayer>(session); })
      .setPlatformSetUp(orc::setUpInactivePlatform)
      .create();
}

} // namespace

Result<JitEngine> JitEngine::link(const std::vector<Object> &objects) {
  llvm::Expected<std::unique_ptr<orc::LLJIT>> jit = createJit();
  if (!jit)
    return linkFailed(jit.takeError());
  for (const Object &object : objects)
    if (llvm::Error error = (*jit)->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object.bytes, object.name)))
      return linkFailed(std::move(error));
  llvm::Expected<orc::ExecutorAddr> address = (*jit)->lookup(WEFT_ABI_DESCRIPTOR_SYMBOL);
  if (!address)
    return linkFailed(address.takeError());
  JitEngine engine;
  engine.jit = std::move(*jit);
  engine.model = address->toPtr<const weft_abi_model *>();
  return engine;
}

JitEngine::JitEngine(JitEngine &&) noexcept = default;
JitEngine &JitEngine::operator=(JitEngine &&) noexcept = default;
JitEngine::~JitEngine() = default;

} // namespace weft
