// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.quantized_matmul, or weft.packed_matmul with a weight in bf16 (+ the elementwise linalg.generic that alone reads
// its output) → packed rows, products of tiles into a staging tile, and each of its rows through what follows:
//   pack rows; scf.for %column step 32 { scf.for %block { 2 × 2 tiles over all steps; scf.for %row { scales, body } } }
#include "lowering/cpu/Passes.h"

#include "lowering/cpu/AmxTiles.h"
#include "lowering/cpu/IndexLoops.h"
#include "lowering/cpu/MatmulEpilogue.h"
#include "lowering/cpu/PackRows.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_MAPPRODUCTSTOAMX
#include "lowering/cpu/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What both kinds of product have.
struct Product {
  Operation *op;
  Value lhs, rhs, bias, init;
  Value rowScales, columnScales; ///< null: sums are f32 and have no scales

  explicit Product(Operation *op) : op(op) {
    if (auto matmul = dyn_cast<QuantizedMatmulOp>(op)) {
      lhs = matmul.getLhs(), rhs = matmul.getRhs(), bias = matmul.getBias(), init = matmul.getInit();
      rowScales = matmul.getLhsScales(), columnScales = matmul.getRhsScales();
    } else {
      auto packed = cast<PackedMatmulOp>(op);
      lhs = packed.getLhs(), rhs = packed.getRhs(), bias = packed.getBias(), init = packed.getInit();
    }
  }
};

class ProductEmitter : IndexLoops {
public:
  ProductEmitter(Operation *op, TargetAttr target)
      : IndexLoops(op->getLoc()), product(op), epilogue(matchMatmulEpilogue(op, product.init)),
        plan(AmxPlan::forProduct(op)), registers(RegisterPlan::forTarget(target)),
        instructions(hasTileInstructions(target)) {}

  void emit() {
    OpBuilder b(epilogue.anchor(product.op));
    Value out = epilogue.output();
    columns = memref::DimOp::create(b, loc, out, 1);
    lastPanel = arith::SubIOp::create(b, loc, memref::DimOp::create(b, loc, product.rhs, 0), constant(b, 1));
    Type element = cast<MemRefType>(product.rhs.getType()).getElementType();
    Type sum = element.isBF16() ? Type(b.getF32Type()) : b.getI32Type();
    auto allocate = [&](MemRefType type) {
      return memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(AmxPlan::kRowBytes));
    };
    int64_t blocks = plan.itemRows / AmxPlan::kRows;
    packed = allocate(packedRowsType(plan, blocks, element));
    staging = allocate(MemRefType::get({plan.isCut() ? blocks : 1, AmxPlan::kRows, AmxPlan::kColumns}, sum));
    Value rows = memref::DimOp::create(b, loc, out, 0);
    forEach(b, rows, plan.itemRows, [&](OpBuilder &body, Value first) {
      Value count = arith::SubIOp::create(body, loc, rows, first);
      emitRows(body, first, arith::MinUIOp::create(body, loc, count, constant(body, plan.itemRows)));
    });
    epilogue.eraseWith(product.op);
  }

private:
  /// The results of `count` rows from `first` on. A long sum is cut: while the blocks of rows pass, a part of two
  /// panels stays in the first-level cache, and the sums wait in the staging tiles.
  void emitRows(OpBuilder &b, Value first, Value count) {
    emitPackRows(b, loc, registers, plan, product.lhs, first, count, packed);
    auto emitEachBlock = [&](OpBuilder &body, function_ref<void(OpBuilder &, Value, Value)> emitOne) {
      forEach(body, count, AmxPlan::kRows, [&](OpBuilder &inner, Value begin) {
        emitOne(inner, begin, arith::SubIOp::create(inner, loc, count, begin));
      });
    };
    forEach(b, columns, AmxPlan::kColumns, [&](OpBuilder &body, Value column) {
      int64_t last = plan.cutBegin(plan.cuts() - 1);
      if (plan.isCut())
        emitEachBlock(body, [&](OpBuilder &inner, Value begin, Value left) {
          emitBlock(inner, {column, begin, constant(inner, 0), plan.cutSteps()}, left);
        });
      forEachCut(body, [&](OpBuilder &inner, Value step) {
        emitEachBlock(inner, [&](OpBuilder &each, Value begin, Value left) {
          emitBlock(each, {column, begin, step, plan.cutSteps()}, left);
        });
      });
      emitEachBlock(body, [&](OpBuilder &inner, Value begin, Value left) {
        askForResults(inner, arith::AddIOp::create(inner, loc, first, begin), column);
        emitBlock(inner, {column, begin, constant(inner, last), plan.steps() - last}, left);
        Value end = arith::MinUIOp::create(inner, loc, left, constant(inner, AmxPlan::kRows)),
              block = blockOf(inner, begin);
        Value before = arith::AddIOp::create(inner, loc, first, begin);
        forEach(inner, end, 1, [&](OpBuilder &each, Value r) {
          emitResults(each, arith::AddIOp::create(each, loc, before, r), {block, r}, column);
        });
      });
    });
  }

  /// The first step of every cut but the first and the last.
  void forEachCut(OpBuilder &b, function_ref<void(OpBuilder &, Value)> body) {
    if (plan.cuts() <= 2)
      return;
    scf::ForOp::create(b, loc, constant(b, plan.cutBegin(1)), constant(b, plan.cutBegin(plan.cuts() - 1)),
                       constant(b, plan.cutSteps()), ValueRange(),
                       [&](OpBuilder &inner, Location, Value step, ValueRange) {
                         body(inner, step);
                         scf::YieldOp::create(inner, loc);
                       });
  }

  /// A block of rows and a pair of panels, over `steps` steps from `step` on.
  struct BlockRange {
    Value column, begin, step;
    int64_t steps;
  };

  Value blockOf(OpBuilder &b, Value begin) {
    return plan.isCut() ? arith::DivUIOp::create(b, loc, begin, constant(b, AmxPlan::kRows)).getResult()
                        : constant(b, 0);
  }

  /// The sums of up to 32 rows; one tile of rows where the second would be empty.
  void emitBlock(OpBuilder &b, const BlockRange &range, Value left) {
    Value half = constant(b, AmxPlan::kTileRows);
    Value isShort = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, left, half);
    auto emitTiles = [&](int64_t leftTiles) {
      return [=, this](OpBuilder &body, Location) {
        emitSums(body, range, leftTiles);
        scf::YieldOp::create(body, loc);
      };
    };
    scf::IfOp::create(b, loc, isShort, emitTiles(1), emitTiles(2));
  }

  void emitSums(OpBuilder &b, const BlockRange &range, int64_t leftTiles) {
    Value block = arith::DivUIOp::create(b, loc, range.begin, constant(b, AmxPlan::kRows));
    Value panel = arith::DivUIOp::create(b, loc, range.column, constant(b, AmxPlan::kTileRows));
    // The last tile may lie beyond the last panel.
    SmallVector<Value> panels = {panel, arith::MinUIOp::create(b, loc, add(b, panel, 1), lastPanel)};
    TileProduct tiles;
    tiles.element = cast<MemRefType>(packed.getType()).getElementType();
    tiles.leftTiles = leftTiles;
    tiles.words = plan.stepWords();
    tiles.steps = constant(b, range.steps);
    tiles.sums = {staging, {blockOf(b, range.begin), constant(b, 0), constant(b, 0)}};
    tiles.accumulate = !isConstantIntValue(range.step, 0);
    auto inSum = [=, this, from = range.step](OpBuilder &k, Value step) {
      return arith::AddIOp::create(k, loc, from, step);
    };
    tiles.left = [=, this](OpBuilder &k, Value local, int64_t i) {
      Value step = inSum(k, local);
      return TilePlace{packed, {block, step, constant(k, i * AmxPlan::kTileRows), constant(k, 0)}};
    };
    tiles.right = [=, this](OpBuilder &k, Value local, int64_t j) {
      Value word = arith::MulIOp::create(k, loc, inSum(k, local), constant(k, AmxPlan::kTileRows));
      if (plan.words % AmxPlan::kTileRows != 0)
        word = arith::MinUIOp::create(k, loc, word, constant(k, plan.words - plan.stepWords()));
      return TilePlace{product.rhs, {panels[j], word, constant(k, 0)}};
    };
    tiles.beforeStep = askForWeight(b, range, block, panels);
    emitTileProduct(b, loc, registers, instructions, tiles);
  }

  /// Hints for the part of the weight that comes next, a share by each block of rows: the next part of the sum, or the
  /// first one of the two panels to the right (measured: 3 to 18 % faster, most where the weight comes from the
  /// third-level cache).
  std::function<void(OpBuilder &, Value)> askForWeight(OpBuilder &b, const BlockRange &range, Value block,
                                                       SmallVector<Value> panels) {
    int64_t share = llvm::divideCeilSigned(AmxPlan::kTileRows, plan.itemRows / AmxPlan::kRows);
    Value firstLine = arith::MulIOp::create(b, loc, block, constant(b, share)), step = add(b, range.step, range.steps);
    std::optional<int64_t> begin = getConstantIntValue(range.step);
    if (begin && *begin + range.steps == plan.steps()) {
      step = constant(b, 0);
      for (Value &panel : panels)
        panel = arith::MinUIOp::create(b, loc, add(b, panel, 2), lastPanel);
    }
    return [=, this](OpBuilder &k, Value local) {
      Value word = arith::AddIOp::create(k, loc, step, local);
      word = arith::MulIOp::create(k, loc, word, constant(k, AmxPlan::kTileRows));
      word = arith::AddIOp::create(k, loc, word, firstLine);
      for (Value panel : panels)
        for (int64_t line = 0; line < share; ++line)
          memref::PrefetchOp::create(k, loc, product.rhs, ValueRange{panel, add(k, word, line), constant(k, 0)},
                                     /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
    };
  }

  /// Hints for the lines that a block's results go to: they come while the tiles multiply (measured: 1.5 times as fast
  /// where a result of 512 × 3072 has left the second-level cache, no loss where it is there).
  void askForResults(OpBuilder &b, Value row, Value column) {
    Value out = epilogue.output();
    auto type = cast<MemRefType>(out.getType());
    int64_t line = AmxPlan::kRowBytes * 8 / type.getElementTypeBitWidth();
    // Hints may name what is not there.
    for (int64_t r = 0; r < AmxPlan::kRows; ++r)
      for (int64_t c = 0; c < AmxPlan::kColumns; c += line)
        memref::PrefetchOp::create(b, loc, out, ValueRange{add(b, row, r), add(b, column, c)}, /*isWrite=*/true,
                                   /*localityHint=*/3, /*isDataCache=*/true);
  }

  /// A row of the staging tile, through all that follows the sums.
  void emitResults(OpBuilder &b, Value row, std::pair<Value, Value> stagingRow, Value column) {
    int64_t lanes = registers.lanes, known = cast<MemRefType>(epilogue.output().getType()).getDimSize(1);
    bool masked = ShapedType::isDynamic(known) || known % AmxPlan::kColumns != 0;
    AffineMap columnMap = AffineMap::get(2, 0, b.getAffineDimExpr(1));
    auto sumType = VectorType::get({lanes}, cast<MemRefType>(staging.getType()).getElementType());
    for (int64_t at = 0; at < AmxPlan::kColumns; at += lanes) {
      IterationPoint point = columnsAt(b, loc, row, add(b, column, at), lanes, masked ? columns : Value());
      Value sums = vector::LoadOp::create(b, loc, sumType, staging,
                                          ValueRange{stagingRow.first, stagingRow.second, constant(b, at)});
      if (product.rowScales)
        sums = emitScaledSums(b, loc, sums, product.rowScales, product.columnScales, point);
      if (product.bias)
        sums = arith::AddFOp::create(b, loc, sums, emitLoad(b, loc, product.bias, columnMap, point));
      emitMatmulResult(b, loc, epilogue, sums, point);
    }
  }

  Product product;
  MatmulEpilogue epilogue;
  AmxPlan plan;
  RegisterPlan registers;
  bool instructions;
  Value columns, lastPanel, packed, staging;
};

struct MapProductsToAmxPass : impl::MapProductsToAmxBase<MapProductsToAmxPass> {
  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>("weft.target");
    if (!hasTiles(target))
      return;
    SmallVector<Operation *> products;
    getOperation()->walk([&](Operation *op) {
      if (wantsTiles(op))
        products.push_back(op);
    });
    for (Operation *op : products)
      ProductEmitter(op, target).emit();
  }
};

} // namespace
} // namespace weft
