// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of roles, pipelines and barriers (docs/spec.md).
#include "dialects/tile/PipelineCheck.h"
#include "dialects/tile/TileOps.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace weft::tile;

LogicalResult RolesOp::verify() {
  // PTX ISA, setmaxnreg: 24 to 256 in steps of 8; what consumers ask for must be there once the producer has given way,
  // or they wait for ever: 64 K registers, of which a multiple of 512 a warp is handed out.
  constexpr int64_t kRegisters = 64512, kThreads = 128;
  int64_t consumers = getConsumers();
  ArrayRef<int64_t> registers = getRegisters();
  if (consumers < 1 || registers.size() != 2 ||
      llvm::any_of(registers, [](int64_t count) { return count % 8 || count < 24 || count > 256; })) // tile_roles_c1
    return emitOpError("has consumers, and two numbers of registers, multiples of 8 from 24 to 256");
  int64_t sum = kThreads * (registers[0] + consumers * registers[1]);
  if (sum > kRegisters) // tile_roles_c2
    return emitOpError("hands out ") << sum << " registers, of " << kRegisters
                                     << " that there are: consumers would wait "
                                     << "for ever";
  auto function = getOperation()->getParentOfType<FunctionOpInterface>();
  auto threads = function ? function->getAttrOfType<IntegerAttr>("weft.threads") : IntegerAttr();
  if (threads && threads.getInt() != kThreads * (1 + consumers)) // tile_roles_c8
    return emitOpError("is for ") << kThreads * (1 + consumers) << " threads, but the block has " << threads.getInt();
  return success();
}

LogicalResult RolesOp::verifyRegions() {
  auto oneIndex = [](Region &role) { return role.getNumArguments() == 1 && role.getArgument(0).getType().isIndex(); };
  if (getProducer().getNumArguments() || !oneIndex(getConsumer())) // tile_roles_c9
    return emitOpError("has a producer without arguments and a consumer with its number");
  Operation *misplaced = nullptr;
  getProducer().walk([&](Operation *op) { misplaced = isa<WaitFullOp, ReleaseOp>(op) ? op : misplaced; });
  getConsumer().walk([&](Operation *op) { misplaced = isa<FillOp>(op) ? op : misplaced; });
  if (misplaced) // tile_roles_c10
    return misplaced->emitOpError("stands in the wrong role: producers fill, consumers wait and release");
  WalkResult counts = getConsumer().walk([&](ReleaseOp release) {
    int64_t warps = 4 * getConsumers(), expected = release.getPipeline().getType().getConsumers();
    if (warps == expected)
      return WalkResult::advance();
    release.emitOpError("is by ") << warps << " warps, but the pipeline waits for " << expected; // tile_roles_c11
    return WalkResult::interrupt();
  });
  if (counts.wasInterrupted())
    return failure();
  if (std::optional<PipelineFault> fault = findPipelineFault(*this))
    return fault->where->emitOpError(fault->what);
  return success();
}

LogicalResult PipelineOp::verify() {
  if (getOffset() && *getOffset() % 8) // tile_pipeline_c2
    return emitOpError("needs an offset that is a multiple of 8");
  if (getOperation()->getParentOfType<RolesOp>()) // tile_pipeline_c3
    return emitOpError("stands before the roles, which begin with the barrier that makes it ready");
  return success();
}

LogicalResult FillOp::verifyRegions() {
  if (!getBody().getNumArguments() && !getBody().getOps<LoadTensorOp>().empty())
    return success();
  return emitOpError("has copies in its region"); // tile_fill_c1
}

/// A copy of tensors moves panels, whose rows are at most 256 and whose swizzle the map has too.
static LogicalResult verifyTensorCopy(Operation *op, BufferType buffer, size_t coordinates) {
  if (coordinates < 2 || coordinates > 5) // tile_load_tensor_c1
    return op->emitOpError("has two to five coordinates");
  if (!buffer.getSwizzle() || buffer.getStages() != 1 || buffer.getRows() > 256) // tile_load_tensor_c2
    return op->emitOpError("takes one stage of a buffer with a swizzle and at most 256 rows");
  return success();
}

LogicalResult LoadTensorOp::verify() { return verifyTensorCopy(*this, getBuffer().getType(), getCoordinates().size()); }

LogicalResult StoreTensorOp::verify() {
  if (failed(verifyTensorCopy(*this, getBuffer().getType(), getCoordinates().size())))
    return failure();
  return verifyGroup(*this, getWarps());
}

LogicalResult BarrierOp::verify() {
  if (getKind() != "sync" && getKind() != "arrive") // tile_barrier_c1
    return emitOpError("knows sync and arrive, not ") << getKind();
  if (int64_t warps = getWarps(); warps < 1 || warps > 32) // tile_barrier_c2
    return emitOpError("is of 1 to 32 warps, got ") << warps;
  return success();
}
