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
        instructions(hasTileInstructions(target)), cut(plan.isCut(getElementTypeOrSelf(epilogue.output().getType()))) {}

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
    packed = allocate(packedRowsType(plan, plan.inPlace ? 1 : blocks, element));
    staging = allocate(MemRefType::get({cut ? blocks : 2, AmxPlan::kRows, AmxPlan::kColumns}, sum));
    Value rows = memref::DimOp::create(b, loc, out, 0), zero = constant(b, 0);
    Waiting waiting = forEach(b, {zero, rows, plan.itemRows}, {zero, zero, zero, zero},
                              [&](OpBuilder &body, Value first, Waiting before) {
                                Value count = arith::SubIOp::create(body, loc, rows, first);
                                count = arith::MinUIOp::create(body, loc, count, constant(body, plan.itemRows));
                                return emitRows(body, {first, count}, before);
                              });
    emitResults(b, waiting, zero, waiting.count);
    epilogue.eraseWith(product.op);
  }

private:
  /// Results whose sums are in a staging tile: they are stored while the tiles multiply for the next ones.
  struct Waiting {
    Value row, column; ///< of the first result
    Value count;       ///< rows, none at first
    Value slot;        ///< which of two staging tiles

    SmallVector<Value> values() const { return {row, column, count, slot}; }
    static Waiting of(ValueRange values) { return {values[0], values[1], values[2], values[3]}; }
  };

  struct Range {
    Value begin, end;
    int64_t step;
  };

  using WaitingBody = function_ref<Waiting(OpBuilder &, Value, Waiting)>;

  /// A loop through which waiting results are carried.
  Waiting forEach(OpBuilder &b, Range range, Waiting waiting, WaitingBody body) {
    auto loop =
        scf::ForOp::create(b, loc, range.begin, range.end, constant(b, range.step), waiting.values(),
                           [&](OpBuilder &inner, Location, Value index, ValueRange carried) {
                             scf::YieldOp::create(inner, loc, body(inner, index, Waiting::of(carried)).values());
                           });
    return Waiting::of(loop.getResults());
  }
  using IndexLoops::forEach;

  Waiting either(OpBuilder &b, Value condition, function_ref<Waiting(OpBuilder &)> yes,
                 function_ref<Waiting(OpBuilder &)> no) {
    auto yield = [this](function_ref<Waiting(OpBuilder &)> body) {
      return [=, this](OpBuilder &inner, Location) { scf::YieldOp::create(inner, loc, body(inner).values()); };
    };
    return Waiting::of(scf::IfOp::create(b, loc, condition, yield(yes), yield(no)).getResults());
  }

  /// Rows of a work item: `count` from `first` on.
  struct Rows {
    Value first, count;
  };

  /// Up to 32 rows of an item.
  struct Block {
    Value row;     ///< of the product, its first
    Value index;   ///< among the item's blocks
    Value packed;  ///< among the packed ones
    Value count;   ///< rows
    int64_t tiles; ///< of rows
    bool inPlace;  ///< read where they are
  };

  using BlockBody = function_ref<Waiting(OpBuilder &, const Block &, Waiting)>;

  Waiting emitRows(OpBuilder &b, const Rows &rows, Waiting waiting) {
    Value rest = arith::RemUIOp::create(b, loc, rows.count, constant(b, AmxPlan::kRows));
    Rows packedRows = rows;
    if (plan.inPlace)
      packedRows = {add(b, rows.first, arith::SubIOp::create(b, loc, rows.count, rest)), rest};
    emitPackRows(b, loc, registers, plan, product.lhs, packedRows.first, packedRows.count, packed);
    if (!cut)
      return emitPasses(b, rows, waiting);
    forEach(b, columns, AmxPlan::kColumns, [&](OpBuilder &body, Value column) { emitCuts(body, rows, column); });
    return waiting;
  }

  /// While blocks of rows pass, some columns of the weight stay in the second-level cache, and a block's rows in the
  /// first.
  Waiting emitPasses(OpBuilder &b, const Rows &rows, Waiting waiting) {
    int64_t pass = plan.passColumns();
    return forEach(b, {constant(b, 0), columns, pass}, waiting, [&](OpBuilder &each, Value from, Waiting before) {
      Range across{from, arith::MinUIOp::create(each, loc, add(each, from, pass), columns), AmxPlan::kColumns};
      return forEachBlock(each, rows, before, [&](OpBuilder &inner, const Block &block, Waiting last) {
        return forEach(inner, across, last, [&](OpBuilder &body, Value column, Waiting done) {
          Value slot = arith::SubIOp::create(body, loc, constant(body, 1), done.slot);
          emitSums(body, block, {column, slot, constant(body, 0), plan.steps()}, storeMeanwhile(slot, done));
          emitResults(body, done, storedMeanwhile(body, done), done.count);
          return Waiting{block.row, column, block.count, slot};
        });
      });
    });
  }

  /// While blocks of rows pass, a part of the sum and of two panels stays in the first-level cache, and the sums wait
  /// in the staging tiles.
  void emitCuts(OpBuilder &b, const Rows &rows, Value column) {
    int64_t last = plan.cutBegin(plan.cuts() - 1);
    auto emitCut = [&](OpBuilder &body, Value step) {
      bool isLast = isConstantIntValue(step, last);
      int64_t steps = isLast ? plan.steps() - last : plan.cutSteps();
      Value none = constant(body, 0);
      forEachBlock(body, rows, {none, none, none, none}, [&](OpBuilder &each, const Block &block, Waiting waiting) {
        if (isLast)
          askForResults(each, block.row, column);
        Sums sums{column, block.index, step, steps};
        emitSums(each, block, sums, askForWeight(each, sums));
        if (isLast)
          emitResults(each, {block.row, column, block.count, block.index}, constant(each, 0), block.count);
        return waiting;
      });
    };
    emitCut(b, constant(b, 0));
    if (plan.cuts() > 2)
      forEach(b, constant(b, plan.cutBegin(1)), constant(b, last), plan.cutSteps(), emitCut);
    emitCut(b, constant(b, last));
  }

  /// Blocks of 32 rows, and what is left of them. Rows in place end with the last whole block.
  Waiting forEachBlock(OpBuilder &b, const Rows &rows, Waiting waiting, BlockBody body) {
    Value size = constant(b, AmxPlan::kRows), zero = constant(b, 0);
    Value rest = arith::RemUIOp::create(b, loc, rows.count, size);
    Value whole = arith::SubIOp::create(b, loc, rows.count, rest);
    waiting = forEach(b, {zero, whole, AmxPlan::kRows}, waiting, [&](OpBuilder &each, Value begin, Waiting before) {
      Value index = arith::DivUIOp::create(each, loc, begin, size);
      return body(each, {add(each, rows.first, begin), index, index, size, 2, plan.inPlace}, before);
    });
    auto emitRest = [&](OpBuilder &each, int64_t tiles) {
      Value index = arith::DivUIOp::create(each, loc, whole, size);
      return body(each, {add(each, rows.first, whole), index, plan.inPlace ? zero : index, rest, tiles, false},
                  waiting);
    };
    auto has = [&](OpBuilder &at, int64_t most) {
      return arith::CmpIOp::create(at, loc, arith::CmpIPredicate::ule, rest, constant(at, most));
    };
    return either(
        b, has(b, 0), [&](OpBuilder &) { return waiting; },
        [&](OpBuilder &some) {
          // One tile where the second would be empty.
          return either(
              some, has(some, AmxPlan::kTileRows), [&](OpBuilder &one) { return emitRest(one, 1); },
              [&](OpBuilder &two) { return emitRest(two, 2); });
        });
  }

  /// Sums of a block over `steps` steps from `step` on, in a staging tile.
  struct Sums {
    Value column, slot, step;
    int64_t steps;
  };
  using Beside = std::function<void(OpBuilder &, Value)>;

  void emitSums(OpBuilder &b, const Block &block, const Sums &sums, Beside beside) {
    TileProduct tiles;
    tiles.element = cast<MemRefType>(packed.getType()).getElementType();
    tiles.leftTiles = block.tiles;
    tiles.words = plan.stepWords();
    tiles.steps = constant(b, sums.steps);
    tiles.sums = {staging, {sums.slot, constant(b, 0), constant(b, 0)}};
    tiles.accumulate = !isConstantIntValue(sums.step, 0);
    tiles.beforeStep = std::move(beside);
    Value from = sums.step;
    if (block.inPlace)
      tiles.left = [=, this](OpBuilder &k, Value step, int64_t i) {
        Value begin = add(k, from, step);
        begin = arith::MulIOp::create(k, loc, begin, constant(k, AmxPlan::kTileRows * plan.perWord));
        return TilePlace{product.lhs, {add(k, block.row, i * AmxPlan::kTileRows), begin}};
      };
    else
      tiles.left = [=, this](OpBuilder &k, Value step, int64_t i) {
        return TilePlace{packed,
                         {block.packed, add(k, from, step), constant(k, i * AmxPlan::kTileRows), constant(k, 0)}};
      };
    tiles.right = [=, this, panels = panelsAt(b, sums.column)](OpBuilder &k, Value step, int64_t j) {
      Value word = arith::MulIOp::create(k, loc, add(k, from, step), constant(k, AmxPlan::kTileRows));
      if (plan.words % AmxPlan::kTileRows != 0)
        word = arith::MinUIOp::create(k, loc, word, constant(k, plan.words - plan.stepWords()));
      return TilePlace{product.rhs, {panels[j], word, constant(k, 0)}};
    };
    emitTileProduct(b, loc, registers, instructions, tiles);
  }

  /// The two panels of some columns. The last tile may lie beyond the last panel.
  SmallVector<Value> panelsAt(OpBuilder &b, Value column) {
    Value panel = arith::DivUIOp::create(b, loc, column, constant(b, AmxPlan::kTileRows));
    return {panel, arith::MinUIOp::create(b, loc, add(b, panel, 1), lastPanel)};
  }

  /// Stores some rows of what waits in each step, and asks for the lines of the staging tile where longer rows and
  /// panels push it out of the first-level cache (measured: 4 to 8 %).
  Beside storeMeanwhile(Value slot, Waiting waiting) {
    int64_t rows = plan.rowsPerStep();
    return [=, this](OpBuilder &k, Value step) {
      if (plan.steps() > AmxPlan::kNearSteps)
        askForStaging(k, slot, step);
      Value from = arith::MulIOp::create(k, loc, step, constant(k, rows));
      Value are = arith::CmpIOp::create(k, loc, arith::CmpIPredicate::ule, add(k, from, rows), waiting.count);
      scf::IfOp::create(k, loc, are, [&](OpBuilder &body, Location) {
        for (int64_t r = 0; r < rows; ++r)
          emitResult(body, waiting, add(body, from, r));
        scf::YieldOp::create(body, loc);
      });
    };
  }

  /// How many rows were stored in all steps.
  Value storedMeanwhile(OpBuilder &b, Waiting waiting) {
    int64_t rows = plan.rowsPerStep();
    Value whole =
        arith::SubIOp::create(b, loc, waiting.count, arith::RemUIOp::create(b, loc, waiting.count, constant(b, rows)));
    return arith::MinUIOp::create(b, loc, whole, constant(b, plan.steps() * rows));
  }

  /// Two rows of the staging tile in each of the last 16 steps.
  void askForStaging(OpBuilder &b, Value slot, Value step) {
    Value row = arith::MulIOp::create(b, loc, add(b, step, AmxPlan::kTileRows - plan.steps()), constant(b, 2));
    row = arith::MaxSIOp::create(b, loc, row, constant(b, 0));
    for (int64_t r = 0; r < 2; ++r)
      for (int64_t c = 0; c < AmxPlan::kColumns; c += AmxPlan::kTileRows)
        memref::PrefetchOp::create(b, loc, staging, ValueRange{slot, add(b, row, r), constant(b, c)}, /*isWrite=*/true,
                                   /*localityHint=*/3, /*isDataCache=*/true);
  }

  /// Hints for the part of the weight that comes next, a share by each block of rows: the next part of the sum, or the
  /// first one of the two panels to the right (measured: 3 to 18 % faster, most where the weight comes from the
  /// third-level cache).
  Beside askForWeight(OpBuilder &b, const Sums &sums) {
    int64_t share = llvm::divideCeilSigned(AmxPlan::kTileRows, plan.itemRows / AmxPlan::kRows);
    Value firstLine = arith::MulIOp::create(b, loc, sums.slot, constant(b, share));
    Value step = add(b, sums.step, sums.steps);
    SmallVector<Value> panels = panelsAt(b, sums.column);
    std::optional<int64_t> begin = getConstantIntValue(sums.step);
    if (begin && *begin + sums.steps == plan.steps()) {
      step = constant(b, 0);
      for (Value &panel : panels)
        panel = arith::MinUIOp::create(b, loc, add(b, panel, 2), lastPanel);
    }
    return [=, this](OpBuilder &k, Value local) {
      Value word = arith::MulIOp::create(k, loc, add(k, step, local), constant(k, AmxPlan::kTileRows));
      word = add(k, word, firstLine);
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

  using IndexLoops::add;
  Value add(OpBuilder &b, Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }

  /// Rows [begin, end) of what waits.
  void emitResults(OpBuilder &b, Waiting waiting, Value begin, Value end) {
    IndexLoops::forEach(b, begin, end, 1, [&](OpBuilder &each, Value r) { emitResult(each, waiting, r); });
  }

  void emitResult(OpBuilder &b, Waiting waiting, Value r) {
    emitRow(b, add(b, waiting.row, r), {waiting.slot, r}, waiting.column);
  }

  /// A row of the staging tile, through all that follows the sums.
  void emitRow(OpBuilder &b, Value row, std::pair<Value, Value> stagingRow, Value column) {
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
  bool instructions, cut;
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
