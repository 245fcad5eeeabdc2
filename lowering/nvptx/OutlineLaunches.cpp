// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// scf.forall → a device function, an item for a group of threads, and its launch:
//   gpu.launch_func @kernels::@k blocks in (%n / 8, 1, 1) threads in (128, 1, 1) args(%n, pointers, extents)
// A view is passed as its pointer and those of its offset, sizes and strides that its type leaves open.
#include "lowering/nvptx/Passes.h"

#include "lowering/analysis/RegisterPlan.h"
#include "lowering/nvptx/FlatView.h"
#include "lowering/nvptx/KernelOutline.h"
#include "lowering/nvptx/LaneGroup.h"
#include "lowering/nvptx/LooseWork.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace weft {
#define GEN_PASS_DEF_OUTLINELAUNCHES
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Items of a block, at most.
constexpr int64_t kMostItems = 8;
/// Shared memory of a block that leaves room for others.
constexpr int64_t kEasyBytes = 48 * 1024;
/// Scratch is aligned as on the CPU.
constexpr int64_t kScratchAlignment = 16;
constexpr int64_t kWarp = 32;

/// Scratch of one item: where each buffer is, in bytes from the item's first.
struct ScratchPlan {
  SmallVector<memref::AllocaOp> buffers;
  SmallVector<int64_t> offsets;
  int64_t bytes = 0;
  int64_t items = kMostItems; ///< of a block
  bool isShared = true;       ///< in a block's shared memory; else in global memory

  int64_t blockBytes() const { return items * bytes; }

  static FailureOr<ScratchPlan> of(scf::ForallOp forall, int64_t sharedBytes);
};

FailureOr<ScratchPlan> ScratchPlan::of(scf::ForallOp forall, int64_t sharedBytes) {
  ScratchPlan plan;
  forall.walk([&](memref::AllocaOp op) { plan.buffers.push_back(op); });
  for (memref::AllocaOp op : plan.buffers) {
    MemRefType type = op.getType();
    if (!type.hasStaticShape() || !type.getLayout().isIdentity())
      return op.emitError("scratch of a size that is not known when the program is compiled");
    plan.offsets.push_back(plan.bytes);
    int64_t bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
    plan.bytes += llvm::alignTo(type.getNumElements() * llvm::divideCeil(bits, 8), kScratchAlignment);
  }
  while (plan.items > 1 && plan.items * plan.bytes > (plan.items > 2 ? kEasyBytes : sharedBytes))
    plan.items /= 2;
  if (plan.blockBytes() <= sharedBytes)
    return plan;
  plan.isShared = false;
  plan.items = kMostItems;
  remark::missed(forall.getLoc(),
                 remark::RemarkOpts::name("scratch-in-global-memory").category("weft-outline-launches"))
      << "an item needs " + std::to_string(plan.bytes) + " bytes of scratch, which a block's shared memory of " +
             std::to_string(sharedBytes) + " does not hold";
  return plan;
}

/// What one scf.forall becomes.
class LaunchConversion {
public:
  LaunchConversion(scf::ForallOp forall, const ScratchPlan &scratch, const LLVMTypeConverter &types,
                   DeviceModule &device)
      : forall(forall), scratch(scratch), types(types), device(device), outline(forall, types, device),
        loc(forall.getLoc()) {}

  void run() {
    BlockShape shape{std::max(scratch.items * kGroupLanes, kWarp), scratch.items,
                     scratch.isShared ? scratch.blockBytes() : 0};
    func::FuncOp function = outline.createFunction(shape);
    if (!scratch.isShared)
      function->setAttr(kScratchAttribute, OpBuilder(function).getI64IntegerAttr(scratch.blockBytes()));
    OpBuilder b = OpBuilder::atBlockBegin(&function.front());
    emitBody(b, function);
    func::ReturnOp::create(b, loc);
    outline.emitLaunch(function, shape);
    forall.erase();
  }

private:
  void emitBody(OpBuilder &b, func::FuncOp function) {
    IRMapping mapping = outline.mapCaptures(b, function);
    Value thread = NVVM::ThreadIdXOp::create(b, loc, b.getI32Type());
    Value block = NVVM::BlockIdXOp::create(b, loc, b.getI32Type());
    auto index = [&](Value v) -> Value { return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), v); };
    auto constant = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
    Value group = arith::DivUIOp::create(b, loc, index(thread), constant(kGroupLanes));
    Value first = arith::MulIOp::create(b, loc, index(block), constant(scratch.items));
    Value item = arith::AddIOp::create(b, loc, first, group);
    Value count = arith::IndexCastOp::create(b, loc, b.getIndexType(), function.getArgument(0));
    Value isItem = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, item, count);
    if (scratch.items * kGroupLanes < kWarp) { // the smallest block is a warp
      Value isGroup = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, group, constant(scratch.items));
      isItem = arith::AndIOp::create(b, loc, isItem, isGroup);
    }
    mapScratch(b, mapping, block, group);
    auto guard = scf::IfOp::create(b, loc, isItem, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPointToStart(guard.thenBlock());
    outline.mapInductionVariables(b, mapping, item);
    for (Operation &op : forall.getBody()->without_terminator())
      if (!isa<memref::AllocaOp>(op))
        b.clone(op, mapping);
  }

  /// The block's part of the launch's scratch.
  Value globalScratch(OpBuilder &b, Value block) {
    Value base = LLVM::CallOp::create(b, loc, device.launchScratch(), ValueRange{}).getResult();
    Value size = LLVM::ConstantOp::create(b, loc, b.getI64Type(), scratch.blockBytes());
    Value place = LLVM::MulOp::create(b, loc, LLVM::ZExtOp::create(b, loc, b.getI64Type(), block), size);
    return LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{place});
  }

  /// Buffers are the group's part of the block's memory.
  void mapScratch(OpBuilder &b, IRMapping &mapping, Value block, Value group) {
    if (scratch.buffers.empty())
      return;
    Value base =
        scratch.isShared ? Value(LLVM::AddressOfOp::create(b, loc, device.sharedMemory())) : globalScratch(b, block);
    Value item = arith::MulIOp::create(b, loc, group, arith::ConstantIndexOp::create(b, loc, scratch.bytes));
    Value start = arith::IndexCastOp::create(b, loc, b.getI64Type(), item);
    int64_t root = forall->getParentOfType<func::FuncOp>().getNumArguments();
    for (auto [op, offset] : llvm::zip_equal(scratch.buffers, scratch.offsets)) {
      memref::AllocaOp buffer = op;
      Value place = LLVM::AddOp::create(b, loc, start, LLVM::ConstantOp::create(b, loc, b.getI64Type(), offset));
      Value begin = LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{place});
      Value pointer = LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), begin);
      Value descriptor = MemRefDescriptor::fromStaticShape(b, loc, types, buffer.getType(), pointer);
      mapping.map(buffer.getResult(), FlatView::castToView(b, loc, buffer.getType(), descriptor, root++));
    }
  }

  scf::ForallOp forall;
  const ScratchPlan &scratch;
  const LLVMTypeConverter &types;
  DeviceModule &device;
  KernelOutline outline;
  Location loc;
};

/// Scratch lies at the top of its loop, so that one plan holds for all of its body.
void hoistScratch(scf::ForallOp forall) {
  SmallVector<memref::AllocaOp> buffers;
  forall.walk([&](memref::AllocaOp op) { buffers.push_back(op); });
  for (memref::AllocaOp op : buffers)
    if (op.getDynamicSizes().empty())
      op->moveBefore(forall.getBody(), forall.getBody()->begin());
}

/// The host must not touch what the device has.
LogicalResult checkHost(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>()) {
    WalkResult touched = function.walk([](Operation *op) {
      bool touches =
          isa<memref::LoadOp, memref::StoreOp, memref::AllocOp, memref::AllocaOp, vector::LoadOp, vector::StoreOp>(op);
      return touches ? WalkResult(op->emitError("would run on the host, but its memory is the device's"))
                     : WalkResult::advance();
    });
    if (touched.wasInterrupted())
      return failure();
  }
  return success();
}

struct OutlineLaunchesPass : impl::OutlineLaunchesBase<OutlineLaunchesPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<TargetAttr> target = targetOf(module);
    if (failed(target))
      return signalPassFailure();
    markOverlaps(module);
    LLVMTypeConverter types(&getContext());
    SmallVector<scf::ForallOp> foralls;
    for (func::FuncOp function : kernelsOfHost(module)) {
      for (unsigned i = 0; i < function.getNumArguments(); ++i) // what the CPU announces
        function.removeArgAttr(i, "weft.experts");
      separateLooseWork(function);
      llvm::append_range(foralls, itemLoopsOf(function));
    }
    DeviceModule device = DeviceModule::findOrCreate(module);
    llvm::for_each(foralls, sinkPrologue); // while loops before them are still that
    for (scf::ForallOp op : foralls) {
      hoistScratch(op);
      FailureOr<ScratchPlan> scratch = ScratchPlan::of(op, sharedBytesOf(*target));
      if (failed(scratch))
        return signalPassFailure();
      LaunchConversion(op, *scratch, types, device).run();
    }
    if (failed(checkHost(module)))
      signalPassFailure();
  }
};

} // namespace
} // namespace weft
