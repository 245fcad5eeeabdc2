// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.quantized_matmul, or weft.packed_matmul with a weight in bf16 (+ the elementwise linalg.generic that alone reads
// its output) → packed rows, products of tiles into a staging tile, and each of its rows through what follows:
//   pack rows; scf.for %column step 32 { scf.for %block { 2 × 2 tiles over all steps; scf.for %row { scales, body } } }
#include "lowering/vectorize/Passes.h"

#include "lowering/vectorize/AmxTiles.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/PackRows.h"
#include "lowering/vectorize/StagedResults.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_MAPPRODUCTSTOAMX
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// What both kinds of product have.
struct Product {
  Operation *op;
  Value lhs, rhs, init;
  Value places; ///< of the rows in lhs; null: they are its rows
  StagedResults::Operands results;

  explicit Product(Operation *op) : op(op) {
    if (auto matmul = dyn_cast<QuantizedMatmulOp>(op)) {
      lhs = matmul.getLhs(), rhs = matmul.getRhs(), init = matmul.getInit();
      results = {matmul.getBias(), matmul.getLhsScales(), matmul.getRhsScales()};
    } else {
      auto packed = cast<PackedMatmulOp>(op);
      lhs = packed.getLhs(), rhs = packed.getRhs(), init = packed.getInit(), places = packed.getRows();
      results.bias = packed.getBias();
    }
  }
};

class ProductEmitter : IndexLoops {
public:
  ProductEmitter(Operation *op, TargetAttr target)
      : IndexLoops(op->getLoc()), product(op), epilogue(matchMatmulEpilogue(op, product.init)),
        plan(AmxPlan::forProduct(op)), registers(RegisterPlan::forTarget(target)),
        results(loc, registers, epilogue, product.results), instructions(hasTileInstructions(target)),
        cut(plan.isCut(getElementTypeOrSelf(epilogue.output().getType()))) {}

  void emit() {
    OpBuilder b(epilogue.anchor(product.op));
    Value out = epilogue.output();
    columns = memref::DimOp::create(b, loc, out, 1);
    lastPanel = arith::SubIOp::create(b, loc, memref::DimOp::create(b, loc, product.rhs, 0), constant(b, 1));
    Type element = cast<MemRefType>(product.rhs.getType()).getElementType();
    int64_t blocks = plan.itemRows / AmxPlan::kRows;
    isFirst = emitIsFirst(b);
    if (plan.inPlace)
      isAligned = emitIsAligned(b);
    packed = memref::AllocaOp::create(b, loc, packedRowsType(plan, blocks, element),
                                      b.getI64IntegerAttr(AmxPlan::kRowBytes));
    results.allocate(b, cut ? blocks : 2);
    Value rows = memref::DimOp::create(b, loc, out, 0), zero = constant(b, 0);
    Waiting waiting = forEach(b, {zero, rows, constant(b, plan.itemRows)}, {zero, zero, zero, zero},
                              [&](OpBuilder &body, Value first, Waiting before) {
                                Value count = arith::SubIOp::create(body, loc, rows, first);
                                count = arith::MinUIOp::create(body, loc, count, constant(body, plan.itemRows));
                                return emitRows(body, first, count, before);
                              });
    results.emit(b, waiting, zero, waiting.count);
    epilogue.eraseWith(product.op);
  }

private:
  using Waiting = StagedResults::Waiting;

  struct Range {
    Value begin, end, step;
  };

  using WaitingBody = function_ref<Waiting(OpBuilder &, Value, Waiting)>;

  /// A loop through which waiting results are carried.
  Waiting forEach(OpBuilder &b, Range range, Waiting waiting, WaitingBody body) {
    auto loop =
        scf::ForOp::create(b, loc, range.begin, range.end, range.step, waiting.values(),
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

  Value emitIsFirst(OpBuilder &b) {
    auto item = product.lhs.getDefiningOp<memref::SubViewOp>();
    Value row = item ? getValueOrCreateConstantIndexOp(b, loc, item.getMixedOffsets()[0]) : constant(b, 0);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, row, constant(b, 0));
  }

  /// Whether the left operand's rows begin with cache lines: a tile's load would touch two for each row otherwise.
  Value emitIsAligned(OpBuilder &b) {
    auto place = memref::ExtractStridedMetadataOp::create(b, loc, product.lhs);
    int64_t bytes = AmxPlan::kRowBytes / (AmxPlan::kTileRows * plan.perWord);
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, product.lhs);
    address = add(b, address, arith::MulIOp::create(b, loc, place.getOffset(), constant(b, bytes)));
    address = arith::RemUIOp::create(b, loc, address, constant(b, AmxPlan::kRowBytes));
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, address, constant(b, 0));
  }

  /// Rows of a work item: `count` from `first` on; so many of them are read where they are, whole blocks.
  struct Rows {
    Value first, count, inPlace;
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

  Waiting emitRows(OpBuilder &b, Value first, Value count, Waiting waiting) {
    Rows rows{first, count, constant(b, 0)};
    if (plan.inPlace) {
      Value rest = arith::RemUIOp::create(b, loc, count, constant(b, AmxPlan::kRows));
      Value whole = arith::SubIOp::create(b, loc, count, rest);
      rows.inPlace = arith::SelectOp::create(b, loc, isAligned, whole, rows.inPlace);
    }
    emitPackRows(b, loc, registers, plan, product.lhs, product.places, add(b, first, rows.inPlace),
                 arith::SubIOp::create(b, loc, count, rows.inPlace), packed);
    if (!cut)
      return emitPasses(b, rows, waiting);
    forEach(b, columns, AmxPlan::kColumns, [&](OpBuilder &body, Value column) { emitCuts(body, rows, column); });
    return waiting;
  }

  /// While blocks of rows pass, some columns of the weight stay in the second-level cache, and a block's rows in the
  /// first.
  Waiting emitPasses(OpBuilder &b, const Rows &rows, Waiting waiting) {
    Value pass =
        arith::SelectOp::create(b, loc, isFirst, constant(b, plan.passColumns()), constant(b, AmxPlan::kMostPass));
    return forEach(b, {constant(b, 0), columns, pass}, waiting, [&](OpBuilder &each, Value from, Waiting before) {
      Range across{from, arith::MinUIOp::create(each, loc, add(each, from, pass), columns),
                   constant(each, AmxPlan::kColumns)};
      return forEachBlock(each, rows, before, [&](OpBuilder &inner, const Block &block, Waiting last) {
        return forEach(inner, across, last, [&](OpBuilder &body, Value column, Waiting done) {
          Value slot = arith::SubIOp::create(body, loc, constant(body, 1), done.slot);
          emitSums(body, block, {column, slot, constant(body, 0), plan.steps()}, [&](OpBuilder &k, Value step) {
            askForPass(k, add(k, column, pass), block.index, step);
            storeMeanwhile(k, done, step, slot);
          });
          results.emit(body, done, storedMeanwhile(body, done), done.count);
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
          results.askForLines(each, block.row, column);
        Sums sums{column, block.index, step, steps};
        emitSums(each, block, sums, askForWeight(each, sums));
        if (isLast)
          results.emit(each, {block.row, column, block.count, block.index}, constant(each, 0), block.count);
        return waiting;
      });
    };
    emitCut(b, constant(b, 0));
    if (plan.cuts() > 2)
      forEach(b, constant(b, plan.cutBegin(1)), constant(b, last), plan.cutSteps(), emitCut);
    emitCut(b, constant(b, last));
  }

  /// Blocks of 32 rows that are read in place, then packed ones.
  Waiting forEachBlock(OpBuilder &b, const Rows &rows, Waiting waiting, BlockBody body) {
    Value size = constant(b, AmxPlan::kRows);
    auto blockAt = [&](OpBuilder &at, Value begin) {
      return Block{add(at, rows.first, begin), arith::DivUIOp::create(at, loc, begin, size), {}, size, 2, true};
    };
    if (plan.inPlace)
      waiting =
          forEach(b, {constant(b, 0), rows.inPlace, size}, waiting, [&](OpBuilder &each, Value begin, Waiting before) {
            return body(each, blockAt(each, begin), before);
          });
    return forEach(b, {rows.inPlace, rows.count, size}, waiting, [&](OpBuilder &each, Value begin, Waiting before) {
      Block block = blockAt(each, begin);
      Value left = arith::SubIOp::create(each, loc, rows.count, begin);
      block.count = arith::MinUIOp::create(each, loc, left, size);
      block.packed = arith::DivUIOp::create(each, loc, arith::SubIOp::create(each, loc, begin, rows.inPlace), size);
      block.inPlace = false;
      Block half = block;
      half.tiles = 1; // the second tile would be empty
      Value isShort =
          arith::CmpIOp::create(each, loc, arith::CmpIPredicate::ule, left, constant(each, AmxPlan::kTileRows));
      return either(
          each, isShort, [&](OpBuilder &one) { return body(one, half, before); },
          [&](OpBuilder &two) { return body(two, block, before); });
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
    tiles.sums = results.tile(b, sums.slot);
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

  /// Stores some rows of what waits, and asks for the lines of the next staging tile where longer rows and panels push
  /// it out of the first-level cache (measured: 4 to 8 %).
  void storeMeanwhile(OpBuilder &b, Waiting waiting, Value step, Value slot) {
    int64_t rows = plan.rowsPerStep();
    if (plan.steps() > AmxPlan::kNearSteps)
      askForTile(b, slot, step);
    Value from = arith::MulIOp::create(b, loc, step, constant(b, rows));
    Value are = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule, add(b, from, rows), waiting.count);
    emitIf(b, are, [&](OpBuilder &body) {
      for (int64_t r = 0; r < rows; ++r)
        results.emitRow(body, waiting, add(body, from, r));
    });
  }

  void emitIf(OpBuilder &b, Value condition, function_ref<void(OpBuilder &)> emitThen) {
    scf::IfOp::create(b, loc, condition, [&](OpBuilder &body, Location) {
      emitThen(body);
      scf::YieldOp::create(body, loc);
    });
  }

  /// Hints for the weight of the next columns while a product's first rows pass these; other rows find it near. A hint
  /// brings two lines (measured: 10 % faster at 128 rows where the weight is in the third-level cache).
  void askForPass(OpBuilder &b, Value column, Value block, Value step) {
    int64_t share = linesOfBlock();
    emitIf(b, isFirst, [&](OpBuilder &body) {
      Value panel = arith::DivUIOp::create(body, loc, column, constant(body, AmxPlan::kTileRows));
      Value word = arith::MulIOp::create(body, loc, step, constant(body, AmxPlan::kTileRows));
      word = add(body, word, arith::MulIOp::create(body, loc, block, constant(body, share)));
      for (int64_t j = 0; j < 2; ++j)
        for (int64_t line = 0; line < share; line += 2)
          askForLine(body, add(body, panel, j), add(body, word, line));
    });
  }

  /// Of a tile of the weight, the lines that each block of rows asks for.
  int64_t linesOfBlock() { return llvm::divideCeilSigned(AmxPlan::kTileRows, plan.itemRows / AmxPlan::kRows); }

  /// Hints may name what is not there.
  void askForLine(OpBuilder &b, Value panel, Value word) {
    memref::PrefetchOp::create(b, loc, product.rhs, ValueRange{panel, word, constant(b, 0)}, /*isWrite=*/false,
                               /*localityHint=*/2, /*isDataCache=*/true);
  }

  /// How many rows were stored in all steps.
  Value storedMeanwhile(OpBuilder &b, Waiting waiting) {
    int64_t rows = plan.rowsPerStep();
    Value whole =
        arith::SubIOp::create(b, loc, waiting.count, arith::RemUIOp::create(b, loc, waiting.count, constant(b, rows)));
    return arith::MinUIOp::create(b, loc, whole, constant(b, plan.steps() * rows));
  }

  /// Two rows of a staging tile in each of the last 16 steps.
  void askForTile(OpBuilder &b, Value slot, Value step) {
    Value row = arith::MulIOp::create(b, loc, add(b, step, AmxPlan::kTileRows - plan.steps()), constant(b, 2));
    row = arith::MaxSIOp::create(b, loc, row, constant(b, 0));
    for (int64_t r = 0; r < 2; ++r)
      results.askForTile(b, slot, add(b, row, r));
  }

  /// Hints for the part of the weight that comes next, a share by each block of rows: the next part of the sum, or the
  /// first one of the two panels to the right (measured: 3 to 18 % faster, most where the weight comes from the
  /// third-level cache).
  Beside askForWeight(OpBuilder &b, const Sums &sums) {
    int64_t share = linesOfBlock();
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
          askForLine(k, panel, add(k, word, line));
    };
  }

  Product product;
  MatmulEpilogue epilogue;
  AmxPlan plan;
  RegisterPlan registers;
  StagedResults results;
  bool instructions, cut;
  Value columns, lastPanel, packed;
  Value isAligned; ///< whether rows are read in place
  Value isFirst;   ///< whether the rows are the first ones of the product that is cut into items
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
