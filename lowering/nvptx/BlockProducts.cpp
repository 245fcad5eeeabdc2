// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An item that is a product with a weight (and its epilogue) → a function of tile ops for four warps, or
// for one where there are few rows, and its launch:
//   weft.packed_matmul ins(%x, %w : memref<128x256xf32>, memref<64x128x2xbf16>)   →   tile.copy_async …; tile.mma …
// The weight comes through a ring of stages in shared memory; the rows, which each warp reads for itself alone, go from
// global memory to registers one step ahead, where they are rounded to the weight's type; rows that meet f32 come
// through a ring, too.
#include "lowering/nvptx/Passes.h"

#include "dialects/tile/TileOps.h"
#include "lowering/analysis/BlockProduct.h"
#include "lowering/nvptx/BlockEpilogue.h"
#include "lowering/nvptx/BlockOutline.h"
#include "lowering/nvptx/GlobalMatrix.h"
#include "lowering/nvptx/LaneGroup.h"
#include "lowering/nvptx/RowReader.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <numeric>

namespace weft {
#define GEN_PASS_DEF_BLOCKPRODUCTS
#include "lowering/nvptx/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What a block computes of an item, and how: the bits of a row are the same for all of these, since every element is
/// added up by one thread's matrix instructions in steps of 16, from the first to the last.
struct BlockForm {
  int64_t rows, columns;
  int64_t warps;  ///< one below the other
  int64_t step;   ///< elements of the sum
  int64_t stages; ///< steps of the weight that are in shared memory

  int64_t threads() const { return 32 * warps; }
  /// Blocks of an item of so many columns, beside each other.
  int64_t parts(int64_t all) const { return llvm::divideCeil(all, columns); }
  /// Of weights in halves, or of f32 rows and weights.
  int64_t ringBytes(bool isFloat) const { return stages * step * (isFloat ? 4 * (rows + columns) : 2 * columns); }
};

/// Matrix instructions kept busy.
constexpr BlockForm kMany{BlockProduct::kRows, BlockProduct::kColumns, /*warps=*/4, /*step=*/32, /*stages=*/4};
/// Two sums for each element: fewer columns.
constexpr BlockForm kManyFloats{BlockProduct::kRows, /*columns=*/32, /*warps=*/4, /*step=*/16, /*stages=*/5};
/// As little as a matrix instruction takes, and much of the weight on its way at once: memory kept busy.
constexpr BlockForm kFew{BlockProduct::kFewRows, /*columns=*/16, /*warps=*/1, /*step=*/64, /*stages=*/8};
constexpr BlockForm kFewFloats{BlockProduct::kFewRows, /*columns=*/16, /*warps=*/1, /*step=*/16, /*stages=*/16};

/// The body of the device function.
class BlockEmitter {
public:
  BlockEmitter(OpBuilder &b, BlockProduct product, BlockForm form, int64_t parts, IRMapping &mapping)
      : b(b), product(product), form(form), parts(parts), mapping(mapping), loc(product.product.getLoc()),
        element(getElementTypeOrSelf(product.product.getRhs().getType())) {}

  void run() {
    firstColumn = index(0);
    if (parts > 1) {
      Value part = NVVM::BlockIdYOp::create(b, loc, b.getI32Type());
      part = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), part);
      firstColumn = arith::MulIOp::create(b, loc, part, index(form.columns));
    }
    left = matrix(product.product.getLhs());
    weight = weightMatrix();
    Value sum = element.isF32() ? emitFloatSteps() : emitSteps();
    BlockEpilogue epilogue(b, loc, mapping, matrixType(b.getF32Type()), {index(0), firstColumn, {}});
    if (Value bias = product.product.getBias())
      sum = epilogue.addBias(sum, matrix(bias));
    if (product.epilogue)
      sum = epilogue.apply(product.epilogue, product.product.getInit(), sum);
    epilogue.store(sum, product.destination());
  }

private:
  OpBuilder &b;
  BlockProduct product;
  BlockForm form;
  int64_t parts;
  IRMapping &mapping;
  Location loc;
  Type element;
  Value firstColumn; ///< of the block, in the item
  GlobalMatrix left, weight;

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  tile::FragmentType fragment(ArrayRef<int64_t> shape, Type type, Attribute layout) {
    return tile::FragmentType::get(b.getContext(), shape, type, layout);
  }
  Attribute accumulator() { return tile::AccumulatorAttr::get(b.getContext(), form.warps, 1); }
  tile::FragmentType matrixType(Type type) { return fragment({form.rows, form.columns}, type, accumulator()); }

  GlobalMatrix matrix(Value view) { return globalMatrix(b, loc, view, mapping); }

  /// The weight as [N, K], K padded to pairs.
  GlobalMatrix weightMatrix() {
    GlobalMatrix made = matrix(product.product.getRhs());
    made.columns = index(product.depth());
    return made;
  }

  //===--------------------------------------------------------------------===//
  // The sum
  //===--------------------------------------------------------------------===//

  /// Rows of a step, before they are rounded.
  Value loadRows(Value step) {
    auto type = fragment({form.rows, form.step}, b.getF32Type(), accumulator());
    return tile::LoadGlobalOp::create(b, loc, type, left.pointer, index(0), first(step),
                                      ValueRange{left.rows, left.columns}, left.stride, left.pairBytes(type),
                                      left.isEven);
  }

  /// Columns of a step to its stage; beyond the sum's end they are zeros, and nothing is read.
  void copyWeight(Value ring, Value step) {
    int64_t most = std::gcd(product.depth() * element.getIntOrFloatBitWidth() / 8, 16);
    Value stage = tile::StageOp::create(b, loc, ring, step);
    tile::CopyAsyncOp::create(b, loc, weight.pointer, firstColumn, first(step), ValueRange{weight.rows, weight.columns},
                              weight.stride, stage, form.warps, most);
  }

  /// The same of rows that are not rounded.
  void copyRows(Value ring, Value step) {
    Value view = product.product.getLhs();
    int64_t depth = cast<MemRefType>(view.getType()).getDimSize(1);
    int64_t together = ShapedType::isDynamic(depth) ? 1 : std::gcd(depth, rowAlignment(view));
    Value stage = tile::StageOp::create(b, loc, ring, step);
    tile::CopyAsyncOp::create(b, loc, left.pointer, index(0), first(step), ValueRange{left.rows, left.columns},
                              left.stride, stage, form.warps, 4 * together);
  }

  Value first(Value step) { return arith::MulIOp::create(b, loc, step, index(form.step)); }

  Value emitSteps() {
    auto ringType = tile::BufferType::get(form.columns, form.step, element, /*swizzle=*/2 * form.step, form.stages);
    Value ring = tile::AllocOp::create(b, loc, ringType, IntegerAttr());
    for (int64_t step = 0; step < form.stages - 1; ++step) {
      copyWeight(ring, index(step));
      tile::CommitCopiesOp::create(b, loc);
    }
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    Value sum = tile::SplatOp::create(b, loc, matrixType(b.getF32Type()), zero);
    Value steps = arith::CeilDivUIOp::create(b, loc, left.columns, index(form.step));
    auto loop = scf::ForOp::create(b, loc, index(0), steps, index(1), ValueRange{loadRows(index(0)), sum});
    keepRolled(loop);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitStep(loop, ring);
    return loop.getResult(1);
  }

  /// The barrier says that the step's weight is there for all, and that all are done with the stage that is filled
  /// next.
  void emitStep(scf::ForOp loop, Value ring) {
    Value step = loop.getInductionVar(), rows = loop.getRegionIterArg(0), sum = loop.getRegionIterArg(1);
    auto plus = [&](int64_t steps) -> Value { return arith::AddIOp::create(b, loc, step, index(steps)); };
    tile::WaitCopiesOp::create(b, loc, form.stages - 2);
    tile::SyncOp::create(b, loc);
    copyWeight(ring, plus(form.stages - 1));
    tile::CommitCopiesOp::create(b, loc);
    auto layout = tile::OperandAttr::get(b.getContext(), "a", form.warps, 1);
    Value rounded = tile::ConvertOp::create(b, loc, fragment({form.rows, form.step}, element, layout), rows);
    Value next = loadRows(plus(1));
    Value stage = tile::StageOp::create(b, loc, ring, step);
    Value more = tile::MmaOp::create(b, loc, rounded, stage, sum, /*a_transposed=*/false, /*b_transposed=*/true);
    scf::YieldOp::create(b, loc, ValueRange{next, more});
  }

  /// Both factors through shared memory, as sums of two numbers in tf32 each. Matrix instructions cut off what they add
  /// to a sum, so each step has a sum of its own.
  Value emitFloatSteps() {
    auto ringOf = [&](int64_t rows) -> Value {
      auto type = tile::BufferType::get(rows, form.step, element, /*swizzle=*/4 * form.step, form.stages);
      return tile::AllocOp::create(b, loc, type, IntegerAttr());
    };
    Value rows = ringOf(form.rows), columns = ringOf(form.columns);
    auto copy = [&](Value step) {
      copyRows(rows, step);
      copyWeight(columns, step);
      tile::CommitCopiesOp::create(b, loc);
    };
    for (int64_t step = 0; step < form.stages - 1; ++step)
      copy(index(step));
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    Value none = tile::SplatOp::create(b, loc, matrixType(b.getF32Type()), zero);
    Value steps = arith::CeilDivUIOp::create(b, loc, left.columns, index(form.step));
    auto loop = scf::ForOp::create(b, loc, index(0), steps, index(1), none);
    keepRolled(loop);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = loop.getInductionVar();
    tile::WaitCopiesOp::create(b, loc, form.stages - 2);
    tile::SyncOp::create(b, loc);
    copy(arith::AddIOp::create(b, loc, step, index(form.stages - 1)));
    Value x = tile::StageOp::create(b, loc, rows, step), w = tile::StageOp::create(b, loc, columns, step);
    Value more = tile::MmaOp::create(b, loc, x, w, none, /*a_transposed=*/false, /*b_transposed=*/true, /*split=*/true);
    Value added = tile::emitMap(b, loc, more.getType(), {loop.getRegionIterArg(0), more},
                                [&](ValueRange x) -> Value { return arith::AddFOp::create(b, loc, x[0], x[1]); });
    scf::YieldOp::create(b, loc, added);
    return loop.getResult(0);
  }
};

/// A launch for few rows, one for many, or both where only a call knows how many there are.
void convert(scf::ForallOp forall, BlockProduct product, const LLVMTypeConverter &types, DeviceModule &device) {
  bool isFloat = getElementTypeOrSelf(product.product.getRhs().getType()).isF32();
  auto blocks = [&](const BlockForm &form, StringRef suffix) {
    int64_t parts = form.parts(product.itemColumns(forall));
    BlockShape shape{form.threads(), /*items=*/1, form.ringBytes(isFloat), parts};
    return BlockProgram{
        shape, suffix,
        [&, parts](OpBuilder &b, IRMapping &mapping) { // Two blocks an SM: a bound by what is alive would spill.
          if (isFloat && form.warps > 1)
            b.getBlock()->getParentOp()->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), b.getI32IntegerAttr(2));
          BlockEmitter(b, product, form, parts, mapping).run();
        }};
  };
  BlockChoice choices[] = {{blocks(isFloat ? kFewFloats : kFew, "_few"), kFew.rows},
                           {blocks(isFloat ? kManyFloats : kMany, ""), 0}};
  outlineBlocks(forall, product.ops(), product.rows(forall), choices, types, device);
}

struct BlockProductsPass : impl::BlockProductsBase<BlockProductsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    LLVMTypeConverter types(&getContext());
    for (func::FuncOp kernel : kernelsOfHost(module)) {
      BlockMatch match = matchBlockProduct(kernel);
      if (!match.plan && match.obstacle.empty())
        continue;
      SmallVector<scf::ForallOp> loops = itemLoopsOf(kernel);
      if (!match.plan || loops.size() != 1 || !isForBlocks(loops.front(), match.plan->ops())) {
        kernel.emitError("has a product for blocks of threads beside ops that are not: ")
            << (match.obstacle.empty() ? "its items are more than that" : match.obstacle);
        return signalPassFailure();
      }
      DeviceModule device = DeviceModule::findOrCreate(module);
      convert(loops.front(), *match.plan, types, device);
    }
  }
};

} // namespace
} // namespace weft
