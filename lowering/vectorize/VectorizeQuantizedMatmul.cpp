// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// weft.quantized_matmul on memrefs (+ the elementwise linalg.generic that alone reads its output) → register tiles of
// i32 sums, put into a staging tile; then each row of it is scaled and runs the generic's body:
//   scf.for %column … { row tiles { scf.for %group { 4 steps of k }; vector.store; sums · scales + bias, body } }
#include "lowering/vectorize/Passes.h"

#include "lowering/analysis/ProductPlan.h"
#include "lowering/vectorize/IndexLoops.h"
#include "lowering/vectorize/IntegerDot.h"
#include "lowering/vectorize/MatmulEpilogue.h"
#include "lowering/vectorize/PanelLoad.h"
#include "lowering/vectorize/QuantizedDots.h"
#include "lowering/vectorize/QuantizedResults.h"
#include "lowering/vectorize/RowTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace weft {
#define GEN_PASS_DEF_VECTORIZEQUANTIZEDMATMUL
#include "lowering/vectorize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// Sums of up to this many groups of four steps keep the halves of a tile's rows in a scratch: 12 rows are 192 KiB
/// then.
constexpr int64_t kKeptGroups = 2048;

/// The halves of row r at a step, in all lanes.
using LeftHalves = std::function<WordHalves(OpBuilder &, int64_t r, Value step)>;

/// Tiles for sums of integers. A vector of the weight takes two registers (its halves), and so does a broadcast:
/// 32 registers hold 12 × 2 accumulators, 4 halves and 2 + 1 more; 16 registers 4 × 2.
ProductPlan integerShapes(ProductPlan shapes, int64_t columns) {
  bool isLarge = shapes.tall.rows >= 9;
  shapes.tall.rows = isLarge ? 12 : 4;
  shapes.tall.vectors = 2;
  // Few rows: four panels side by side, which streams the weight from memory in four places.
  shapes.few.rows = isLarge ? 2 : 1;
  shapes.few.vectors = isLarge ? 4 : 8;
  return shapes.narrowedTo(columns);
}

/// Emits a product; all of it at the place of the last op that it replaces.
class QuantizedEmitter : IndexLoops {
public:
  QuantizedEmitter(QuantizedMatmulOp matmul, const ProductPlan &target)
      : IndexLoops(matmul.getLoc()), matmul(matmul), epilogue(matchMatmulEpilogue(matmul, matmul.getInit())),
        shapes(integerShapes(target, cast<MemRefType>(matmul.getInit().getType()).getDimSize(1))),
        lanes(shapes.tall.lanes), sumType(VectorType::get({lanes}, IntegerType::get(loc.getContext(), 32))) {}

  void emit() {
    OpBuilder b(epilogue.anchor(matmul));
    Value out = epilogue.output();
    columns = memref::DimOp::create(b, loc, out, 1);
    groups = memref::DimOp::create(b, loc, matmul.getRhs(), 1);
    rows = memref::getMixedSize(b, loc, out, 0);
    emitByRowCount(
        b, loc, rows, shapes.few.rows, [&](OpBuilder &body) { emitTiles(body, shapes.few, 1); },
        [&](OpBuilder &body) { emitTiles(body, shapes.tall, shapes.leastTallRows()); });
    epilogue.eraseWith(matmul);
  }

private:
  /// All tiles. Where the halves of a tile's rows are kept, all columns pass while they are; else rows pass by columns.
  void emitTiles(OpBuilder &b, const RegisterPlan &tile, int64_t least) {
    auto type = MemRefType::get({tile.rows, tile.columns()}, b.getI32Type());
    Value staging = memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
    int64_t known = cast<MemRefType>(matmul.getRhs().getType()).getDimSize(1);
    if (tile.rows > shapes.few.rows && !ShapedType::isDynamic(known) && known <= kKeptGroups) {
      auto keptType = MemRefType::get({tile.rows, 2, known}, b.getI32Type());
      Value kept = memref::AllocaOp::create(b, loc, keptType, b.getI64IntegerAttr(64));
      return emitRowTiles(b, loc, rows, least, tile.rows, [&](OpBuilder &inner, int64_t count, Value row, Value) {
        keepHalves(inner, count, row, kept);
        forEach(inner, columns, tile.columns(), [&](OpBuilder &body, Value column) {
          emitTile(body, tile, count, row, column, staging, readKept(kept));
        });
      });
    }
    forEach(b, columns, tile.columns(), [&](OpBuilder &body, Value column) {
      emitRowTiles(body, loc, rows, least, tile.rows, [&](OpBuilder &inner, int64_t count, Value row, Value) {
        emitTile(inner, tile, count, row, column, staging, readRows(inner, count, row));
      });
    });
  }

  void emitTile(OpBuilder &b, const RegisterPlan &tile, int64_t count, Value row, Value column, Value staging,
                const LeftHalves &left) {
    for (auto [i, sum] : llvm::enumerate(emitSums(b, tile, count, column, left)))
      vector::StoreOp::create(b, loc, sum, staging,
                              ValueRange{constant(b, i / tile.vectors), constant(b, i % tile.vectors * lanes)});
    forEach(b, constant(b, count), 1, [&](OpBuilder &each, Value r) {
      emitQuantizedRow(each, loc, matmul, epilogue, {staging, r, row, column, tile.vectors, lanes});
    });
  }

  // --- the left operand -----------------------------------------------------------------------------------------

  Value viewOfRows(OpBuilder &b, int64_t count, Value row) {
    return memref::SubViewOp::create(b, loc, matmul.getLhs(), {row, b.getIndexAttr(0)},
                                     {b.getIndexAttr(count), memref::getMixedSize(b, loc, matmul.getLhs(), 1)},
                                     {b.getIndexAttr(1), b.getIndexAttr(1)});
  }
  /// `many` groups of four bytes of row r, as a vector of words.
  Value loadWords(OpBuilder &b, Value lhs, Value r, Value group, int64_t many) {
    Value byte = arith::MulIOp::create(b, loc, group, constant(b, QuantizedMatmulOp::kGroup));
    auto type = VectorType::get({many * QuantizedMatmulOp::kGroup}, b.getI8Type());
    Value bytes = vector::LoadOp::create(b, loc, type, lhs, ValueRange{r, byte});
    return vector::BitCastOp::create(b, loc, VectorType::get({many}, b.getI32Type()), bytes);
  }

  LeftHalves readRows(OpBuilder &b, int64_t count, Value row) {
    Value lhs = viewOfRows(b, count, row);
    return [=, this](OpBuilder &k, int64_t r, Value step) {
      Value word = vector::ExtractOp::create(k, loc, loadWords(k, lhs, constant(k, r), step, 1), ArrayRef<int64_t>{0});
      return splitWords(k, loc, vector::BroadcastOp::create(k, loc, sumType, word));
    };
  }

  LeftHalves readKept(Value kept) {
    return [=, this](OpBuilder &k, int64_t r, Value step) {
      auto pairs = VectorType::get({2 * lanes}, k.getI16Type());
      auto load = [&](int64_t half) -> Value {
        Value word = memref::LoadOp::create(k, loc, kept, ValueRange{constant(k, r), constant(k, half), step});
        return vector::BitCastOp::create(k, loc, pairs, vector::BroadcastOp::create(k, loc, sumType, word));
      };
      return WordHalves{load(0), load(1)};
    };
  }

  /// Splits the words of a tile's rows once, a vector at a time.
  void keepHalves(OpBuilder &b, int64_t count, Value row, Value kept) {
    Value lhs = viewOfRows(b, count, row);
    int64_t known = cast<MemRefType>(kept.getType()).getDimSize(2), whole = known / lanes * lanes;
    auto keep = [&](OpBuilder &k, Value r, Value group, int64_t many) {
      WordHalves halves = splitWords(k, loc, loadWords(k, lhs, r, group, many));
      for (auto [half, pairs] : llvm::enumerate(SmallVector<Value>{halves.even, halves.odd})) {
        Value words = vector::BitCastOp::create(k, loc, VectorType::get({many}, k.getI32Type()), pairs);
        vector::StoreOp::create(k, loc, words, kept, ValueRange{r, constant(k, half), group});
      }
    };
    forEach(b, constant(b, count), 1, [&](OpBuilder &each, Value r) {
      forEach(each, constant(each, whole), lanes, [&](OpBuilder &k, Value group) { keep(k, r, group, lanes); });
      forEach(each, constant(each, known - whole), 1,
              [&](OpBuilder &k, Value group) { keep(k, r, add(k, group, whole), 1); });
    });
  }

  // --- the sums -------------------------------------------------------------------------------------------------

  /// Sums of a tile, row by row, over all groups of four steps.
  SmallVector<Value> emitSums(OpBuilder &b, const RegisterPlan &tile, int64_t count, Value column,
                              const LeftHalves &left) {
    SmallVector<PanelPlace> places =
        emitPanelPlaces(b, loc, tile, matmul.getRhs(), QuantizedMatmulOp::kWidth, column, tile.vectors);
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(sumType));
    SmallVector<Value> start(count * tile.vectors, zero);
    auto loop = scf::ForOp::create(b, loc, constant(b, 0), groups, constant(b, 1), start,
                                   [&](OpBuilder &k, Location, Value step, ValueRange sums) {
                                     scf::YieldOp::create(k, loc, emitStep(k, tile, left, step, places, sums));
                                   });
    return SmallVector<Value>(loop.getResults());
  }

  SmallVector<Value> emitStep(OpBuilder &k, const RegisterPlan &tile, const LeftHalves &left, Value step,
                              ArrayRef<PanelPlace> places, ValueRange sums) {
    int64_t count = sums.size() / tile.vectors;
    SmallVector<WordHalves> weights;
    for (auto [v, place] : llvm::enumerate(places)) {
      // One hint for a row of a panel, which is a cache line; at a panel's end it is for the next panel.
      if (tile.rows == shapes.few.rows && v * lanes % QuantizedMatmulOp::kWidth == 0)
        memref::PrefetchOp::create(k, loc, matmul.getRhs(),
                                   ValueRange{place.panel, add(k, step, kPrefetchAhead), constant(k, 0)}, false, 3,
                                   true);
      weights.push_back(splitWords(k, loc, emitPanelWords(k, loc, tile, place, step)));
    }
    SmallVector<Value> next;
    for (int64_t r = 0; r < count; ++r) {
      WordHalves halves = left(k, r, step);
      for (int64_t v = 0; v < tile.vectors; ++v)
        next.push_back(emitDot(k, loc, tile, sums[r * tile.vectors + v], halves, weights[v]));
    }
    return next;
  }

  QuantizedMatmulOp matmul;
  MatmulEpilogue epilogue;
  ProductPlan shapes;
  int64_t lanes;
  VectorType sumType;
  OpFoldResult rows;
  Value columns, groups;
};

struct VectorizeQuantizedMatmulPass : impl::VectorizeQuantizedMatmulBase<VectorizeQuantizedMatmulPass> {
  void runOnOperation() override {
    FailureOr<ProductPlan> shapes = productPlanOf(getOperation());
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<QuantizedMatmulOp> matmuls;
    getOperation()->walk([&](QuantizedMatmulOp op) { matmuls.push_back(op); });
    for (QuantizedMatmulOp matmul : matmuls) {
      if (QuantizedMatmulOp::kWidth % shapes->tall.lanes != 0) {
        matmul.emitError("panels of 16 columns do not hold whole vectors of ") << shapes->tall.lanes;
        return signalPassFailure();
      }
      if (shapes->tall.byteDots)
        emitQuantizedDots(matmul, *shapes);
      else
        QuantizedEmitter(matmul, *shapes).emit();
    }
  }
};

} // namespace
} // namespace weft
