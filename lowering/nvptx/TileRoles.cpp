// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Warps in roles, pipelines and tensor copies → branches on the warp's number, mbarriers and cp.async.bulk.tensor.
// A wait on an mbarrier is a loop, so a block of its own in the machine code: where tile ops put one just before
// tile.wait_products, ptxas does not hoist that wait over the arithmetic before it.
#include "lowering/nvptx/TileLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

constexpr int64_t kBarrierBytes = 8;
constexpr int64_t kWarpsOfGroup = 4;

/// The barriers of one stage: those that say full, then those that say empty.
struct StageBarriers {
  Value full, empty, parity;

  StageBarriers(ThreadCode &code, PipelineType type, Value base, Value index) {
    Value count = code.narrow(index), offset = code.times(code.modulo(count, type.getStages()), kBarrierBytes);
    full = code.at(base, offset);
    empty = code.at(full, type.getStages() * kBarrierBytes);
    // The phase of a barrier that has been used `count` / stages times.
    parity = code.modulo(code.over(count, type.getStages()), 2);
  }
};

void waitFor(ThreadCode &code, Value barrier, Value parity) {
  constexpr int64_t kTicks = 10000000; // the hardware's own wait; then the loop asks again
  NVVM::MBarrierTryWaitParityOp::create(code.b, code.loc, barrier, parity, code.constant(kTicks));
}

/// One thread of a warp that is whole here.
Value elected(ThreadCode &code) { return NVVM::ElectSyncOp::create(code.b, code.loc, code.b.getI1Type(), Value()); }

struct ConvertPipeline : TilePattern<PipelineOp> {
  using TilePattern::TilePattern;
  void rewrite(PipelineOp op, Adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    PipelineType type = op.getPipeline().getType();
    auto pointer = LLVM::LLVMPointerType::get(getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
    Value start = LLVM::AddressOfOp::create(code.b, code.loc, pointer, "global_smem");
    Value base = code.at(start, *op.getOffset());
    code.when(code.isEqual(code.thread(), 0), [&] {
      for (int64_t stage = 0; stage < 2 * type.getStages(); ++stage) {
        int64_t arrivals = stage < type.getStages() ? 1 : type.getConsumers();
        Value barrier = code.at(base, stage * kBarrierBytes);
        NVVM::MBarrierInitOp::create(code.b, code.loc, barrier, code.constant(arrivals), Value());
      }
      NVVM::FenceMbarrierInitOp::create(code.b, code.loc);
    });
    rewriter.replaceOp(op, base);
  }
};

struct ConvertRoles : TilePattern<RolesOp> {
  using TilePattern::TilePattern;

  void rewrite(RolesOp op, Adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    keepRegisters(op, rewriter);
    NVVM::Barrier0Op::create(rewriter, op.getLoc());
    Value warp = code.uniform(code.over(code.thread(), 32)), group = code.over(warp, kWarpsOfGroup);
    auto branch = scf::IfOp::create(rewriter, op.getLoc(), code.isEqual(group, 0), /*withElseRegion=*/true);
    rewriter.setInsertionPointToStart(branch.thenBlock());
    setRegisters(code, op.getRegisters()[0], NVVM::SetMaxRegisterAction::decrease);
    Value one = code.both(code.isEqual(warp, 0), elected(code));
    auto chosen = scf::IfOp::create(rewriter, op.getLoc(), one, /*withElseRegion=*/false);
    rewriter.inlineBlockBefore(&op.getProducer().front(), &chosen.thenBlock()->back());
    rewriter.setInsertionPointToStart(branch.elseBlock());
    setRegisters(code, op.getRegisters()[1], NVVM::SetMaxRegisterAction::increase);
    Value number = arith::IndexCastOp::create(rewriter, op.getLoc(), rewriter.getIndexType(), code.add(group, -1));
    rewriter.inlineBlockBefore(&op.getConsumer().front(), &branch.elseBlock()->back(), number);
    rewriter.eraseOp(op);
  }

  static void setRegisters(ThreadCode &code, int64_t count, NVVM::SetMaxRegisterAction action) {
    NVVM::SetMaxRegisterOp::create(code.b, code.loc, count, action);
  }

  /// ptxas ignores setmaxnreg (C7508) unless the kernel says how many blocks share a multiprocessor.
  static void keepRegisters(RolesOp op, ConversionPatternRewriter &rewriter) {
    auto function = op->getParentOfType<FunctionOpInterface>();
    StringRef name = NVVM::NVVMDialect::getMinctasmAttrName();
    if (function && !function->hasAttr(name))
      rewriter.modifyOpInPlace(function, [&] { function->setAttr(name, rewriter.getI32IntegerAttr(1)); });
  }
};

struct ConvertEnd : TilePattern<EndOp> {
  using TilePattern::TilePattern;
  void rewrite(EndOp op, Adaptor, ThreadCode &, ConversionPatternRewriter &rewriter) const override {
    rewriter.eraseOp(op);
  }
};

/// Bytes that the copies of a filling bring.
int64_t bytesOf(FillOp op) {
  int64_t bytes = 0;
  for (auto copy : op.getBody().getOps<LoadTensorOp>()) {
    BufferType type = copy.getBuffer().getType();
    bytes += type.getRows() * type.getColumns() * type.elementBytes();
  }
  return bytes;
}

std::string coordinatesOf(size_t count, unsigned first) {
  std::string text = "{";
  for (size_t i = 0; i < count; ++i)
    text += (i ? ", $" : "$") + std::to_string(first + i);
  return text + "}";
}

/// A copy for each panel of a buffer: calls `copy` with the panel's address and the coordinates of its first element.
void forEachPanel(ThreadCode &code, BufferType type, Value buffer, ValueRange coordinates,
                  llvm::function_ref<void(Value, ArrayRef<Value>)> copy) {
  SmallVector<Value> at = llvm::map_to_vector(coordinates, [&](Value coordinate) { return code.narrow(coordinate); });
  Value first = at.front();
  for (int64_t panel = 0; panel < type.panels(); ++panel) {
    at.front() = code.add(first, panel * type.rowBytes() / type.elementBytes());
    copy(code.at(buffer, panel * type.panelBytes()), at);
  }
}

struct ConvertFill : TilePattern<FillOp> {
  using TilePattern::TilePattern;

  void rewrite(FillOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    PipelineType type = op.getPipeline().getType();
    StageBarriers stage(code, type, adaptor.getPipeline().front(), adaptor.getIndex().front());
    waitFor(code, stage.empty, code.exclusive(stage.parity, code.constant(1)));
    NVVM::MBarrierArriveExpectTxOp::create(code.b, code.loc, TypeRange(), stage.full, code.constant(bytesOf(op)),
                                           NVVM::MemScopeKind::CTA, /*relaxed=*/false, Value());
    SmallVector<LoadTensorOp> copies(op.getBody().getOps<LoadTensorOp>());
    for (LoadTensorOp copy : copies)
      load(copy, stage.full, code, rewriter);
    rewriter.eraseOp(op);
  }

  static void load(LoadTensorOp copy, Value barrier, ThreadCode &code, ConversionPatternRewriter &rewriter) {
    Value buffer = rewriter.getRemappedValue(copy.getBuffer()), map = rewriter.getRemappedValue(copy.getMap());
    SmallVector<Value> coordinates =
        llvm::map_to_vector(copy.getCoordinates(), [&](Value value) { return rewriter.getRemappedValue(value); });
    forEachPanel(code, copy.getBuffer().getType(), buffer, coordinates, [&](Value target, ArrayRef<Value> at) {
      std::string text = llvm::formatv("cp.async.bulk.tensor.{0}d.shared::cluster.global.mbarrier::complete_tx::bytes "
                                       "[$0], [$1, {1}], [$2];",
                                       at.size(), coordinatesOf(at.size(), 3));
      SmallVector<Value> operands{code.addressOf(target), map, code.addressOf(barrier)};
      std::string constraints = "r,l,r";
      for (Value coordinate : at) {
        operands.push_back(coordinate);
        constraints += ",r";
      }
      code.assembly(text, constraints, operands, {});
    });
  }
};

struct ConvertWaitFull : TilePattern<WaitFullOp> {
  using TilePattern::TilePattern;
  void rewrite(WaitFullOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    StageBarriers stage(code, op.getPipeline().getType(), adaptor.getPipeline().front(), adaptor.getIndex().front());
    waitFor(code, stage.full, stage.parity);
    rewriter.eraseOp(op);
  }
};

struct ConvertRelease : TilePattern<ReleaseOp> {
  using TilePattern::TilePattern;
  void rewrite(ReleaseOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    StageBarriers stage(code, op.getPipeline().getType(), adaptor.getPipeline().front(), adaptor.getIndex().front());
    code.when(code.isEqual(code.lane(), 0),
              [&] { NVVM::MBarrierArriveOp::create(code.b, code.loc, code.b.getI64Type(), stage.empty, Value()); });
    rewriter.eraseOp(op);
  }
};

/// `sync` is one for all its threads; that they are whole warps, the count says.
void meet(ThreadCode &code, Value number, int64_t warps, bool waits) {
  Value threads = code.constant(32 * warps), id = code.narrow(number);
  if (waits)
    NVVM::BarrierOp::create(code.b, code.loc, TypeRange(), id, threads, NVVM::BarrierReductionAttr(), Value());
  else
    NVVM::BarrierArriveOp::create(code.b, code.loc, id, threads);
}

struct ConvertBarrier : TilePattern<BarrierOp> {
  using TilePattern::TilePattern;
  void rewrite(BarrierOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    meet(code, adaptor.getNumber().front(), op.getWarps(), op.getKind() == "sync");
    rewriter.eraseOp(op);
  }
};

struct ConvertStoreTensor : TilePattern<StoreTensorOp> {
  using TilePattern::TilePattern;

  void rewrite(StoreTensorOp op, Adaptor adaptor, ThreadCode &code,
               ConversionPatternRewriter &rewriter) const override {
    NVVM::FenceProxyOp::create(code.b, code.loc, NVVM::ProxyKind::async_shared,
                               NVVM::SharedSpaceAttr::get(getContext(), NVVM::SharedSpace::shared_cta));
    meet(code, adaptor.getNumber().front(), op.getWarps(), /*waits=*/true);
    Value warp = code.uniform(code.warpOf(op.getWarps()));
    code.when(code.isEqual(warp, 0), [&] { code.when(elected(code), [&] { store(op, adaptor, code); }); });
    rewriter.eraseOp(op);
  }

  static void store(StoreTensorOp op, Adaptor adaptor, ThreadCode &code) {
    Value map = adaptor.getMap().front();
    forEachPanel(code, op.getBuffer().getType(), adaptor.getBuffer().front(), flat(adaptor.getCoordinates()),
                 [&](Value source, ArrayRef<Value> at) {
                   std::string text = llvm::formatv("cp.async.bulk.tensor.{0}d.global.shared::cta.bulk_group "
                                                    "[$0, {1}], [$1];",
                                                    at.size(), coordinatesOf(at.size(), 2));
                   SmallVector<Value> operands{map, code.addressOf(source)};
                   std::string constraints = "l,r";
                   for (Value coordinate : at) {
                     operands.push_back(coordinate);
                     constraints += ",r";
                   }
                   code.assembly(text, constraints, operands, {});
                 });
    NVVM::CpAsyncBulkCommitGroupOp::create(code.b, code.loc);
    NVVM::CpAsyncBulkWaitGroupOp::create(code.b, code.loc, 0, code.b.getUnitAttr());
  }
};

} // namespace

void populateTileRoles(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertPipeline, ConvertRoles, ConvertEnd, ConvertFill, ConvertWaitFull, ConvertRelease, ConvertBarrier,
               ConvertStoreTensor>(types, patterns.getContext());
}

} // namespace weft
