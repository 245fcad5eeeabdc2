// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Σ x · w = Σ x · (w + 128) − 128 · Σ x, since the instruction takes its left bytes as unsigned ones:
//   each row's −128 · Σ x; scf.for %column { row tiles { scf.for %word { xor, vpdpbusd … }; vector.store; results } }
#include "lowering/vectorize/QuantizedDots.h"

#include "lowering/vectorize/LeftRows.h"
#include "lowering/vectorize/NextPanels.h"
#include "lowering/vectorize/PanelLoad.h"
#include "lowering/vectorize/QuantizedResults.h"
#include "lowering/vectorize/RegisterTile.h"
#include "lowering/vectorize/RowTiles.h"
#include "lowering/vectorize/WordDot.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace weft {
namespace {

constexpr int64_t kGroup = QuantizedMatmulOp::kGroup;

/// Rows whose sums are kept, at most; more are summed again for each tile.
constexpr int64_t kKeptRows = 1024;

/// A tile one row lower than that of f32: the 128 takes a register.
ProductPlan dotShapes(ProductPlan shapes, int64_t columns) {
  shapes.tall.rows -= 1;
  return shapes.narrowedTo(columns);
}

class QuantizedDotEmitter : IndexLoops {
public:
  QuantizedDotEmitter(QuantizedMatmulOp matmul, const ProductPlan &target)
      : IndexLoops(matmul.getLoc()), matmul(matmul), epilogue(matchMatmulEpilogue(matmul, matmul.getInit())),
        shapes(dotShapes(target, cast<MemRefType>(matmul.getInit().getType()).getDimSize(1))),
        left(loc, shapes.tall, matmul.getLhs(), kGroup), lanes(shapes.tall.lanes),
        words(VectorType::get({lanes}, IntegerType::get(loc.getContext(), 32))) {}

  void emit() {
    OpBuilder b(epilogue.anchor(matmul));
    columns = memref::DimOp::create(b, loc, epilogue.output(), 1);
    rows = memref::getMixedSize(b, loc, epilogue.output(), 0);
    steps = memref::getMixedSize(b, loc, matmul.getRhs(), 1);
    int64_t most = left.mostRows();
    keepsAll = !ShapedType::isDynamic(most) && most <= kKeptRows;
    auto type = MemRefType::get({keepsAll ? most : shapes.tall.rows}, b.getI32Type());
    starts = memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
    if (keepsAll)
      emitStarts(b, constant(b, 0), getValueOrCreateConstantIndexOp(b, loc, rows));
    emitByRowCount(
        b, loc, rows, shapes.few.rows, [&](OpBuilder &body) { emitTiles(body, shapes.few, 1); },
        [&](OpBuilder &body) { emitTiles(body, shapes.tall, shapes.leastTallRows()); });
    epilogue.eraseWith(matmul);
  }

private:
  void emitTiles(OpBuilder &b, const RegisterPlan &tile, int64_t least) {
    auto type = MemRefType::get({tile.rows, tile.columns()}, b.getI32Type());
    Value staging = memref::AllocaOp::create(b, loc, type, b.getI64IntegerAttr(64));
    forEach(b, columns, tile.columns(), [&](OpBuilder &body, Value column) {
      emitRowTiles(body, loc, rows, least, tile.rows, [&](OpBuilder &inner, int64_t count, Value row, Value index) {
        emitTile(inner, tile, {count, row, column, index}, staging);
      });
    });
  }

  struct Range {
    int64_t rows;
    Value row, column, index;
  };

  void emitTile(OpBuilder &b, const RegisterPlan &tile, const Range &range, Value staging) {
    Value first = range.row;
    if (!keepsAll) {
      emitStarts(b, range.row, constant(b, range.rows));
      first = constant(b, 0);
    }
    SmallVector<Value> sums;
    for (int64_t r = 0; r < range.rows; ++r) {
      Value start = memref::LoadOp::create(b, loc, starts, ValueRange{add(b, first, r)});
      sums.append(tile.vectors, vector::BroadcastOp::create(b, loc, words, start));
    }
    sums = emitTileProduct(b, loc, tile, range.rows, tile.vectors, steps, sums, operandsOf(b, tile, range));
    for (auto [i, sum] : llvm::enumerate(sums))
      vector::StoreOp::create(b, loc, sum, staging,
                              ValueRange{constant(b, i / tile.vectors), constant(b, i % tile.vectors * lanes)});
    forEach(b, constant(b, range.rows), 1, [&](OpBuilder &each, Value r) {
      emitQuantizedRow(each, loc, matmul, epilogue, {staging, r, range.row, range.column, tile.vectors, lanes});
    });
  }

  TileOperands operandsOf(OpBuilder &b, const RegisterPlan &tile, const Range &range) {
    Value rhs = matmul.getRhs();
    SmallVector<PanelPlace> places =
        emitPanelPlaces(b, loc, tile, rhs, QuantizedMatmulOp::kWidth, range.column, tile.vectors);
    TileOperands operands;
    operands.a = left.ofTile(b, range.row, range.rows, Value(), steps);
    operands.b = [=, this](OpBuilder &k, Value step, int64_t v) {
      // One hint for a row of a panel, which is a cache line; at a panel's end it is for the next panel.
      if (v * lanes % QuantizedMatmulOp::kWidth == 0)
        memref::PrefetchOp::create(
            k, loc, rhs, ValueRange{places[v].panel, add(k, step, kPrefetchAhead), constant(k, 0)}, false, 2, true);
      return emitUnsignedBytes(k, loc, emitPanelWords(k, loc, tile, places[v], step));
    };
    operands.multiplyAdd = [=, this](OpBuilder &k, Value x, Value weight, Value sum) {
      return emitByteDot(k, loc, tile, sum, weight, x);
    };
    if (tile.rows == shapes.tall.rows)
      operands.beforeBlock = emitNextPanels(b, loc, nextPanelsOf(b, tile, range));
    return operands;
  }

  /// The panels right of this tile's, or of the next item.
  NextPanels nextPanelsOf(OpBuilder &b, const RegisterPlan &tile, const Range &range) {
    Value width = constant(b, QuantizedMatmulOp::kWidth), after = add(b, range.column, tile.columns());
    Value tiles =
        arith::CeilDivUIOp::create(b, loc, getValueOrCreateConstantIndexOp(b, loc, rows), constant(b, tile.rows));
    return {matmul.getRhs(),
            arith::DivUIOp::create(b, loc, after, width),
            llvm::divideCeilSigned(tile.columns(), QuantizedMatmulOp::kWidth),
            Value(),
            getValueOrCreateConstantIndexOp(b, loc, steps),
            tiles,
            range.index};
  }

  /// starts[i] = −128 · Σ x of row `first` + i, for `count` rows.
  void emitStarts(OpBuilder &b, Value first, Value count) {
    Value lhs = matmul.getLhs(), depth = memref::DimOp::create(b, loc, lhs, 1);
    auto bytes = VectorType::get({kGroup * lanes}, b.getI8Type());
    auto splat = [&](OpBuilder &at, int32_t value) {
      return arith::ConstantOp::create(at, loc, DenseElementsAttr::get(words, value));
    };
    Value ones = splat(b, 0x01010101), size = constant(b, kGroup * lanes);
    Value rest = arith::RemUIOp::create(b, loc, depth, size), whole = arith::SubIOp::create(b, loc, depth, rest);
    auto sumOf = [&](OpBuilder &at, Value acc, Value numbers) {
      return emitByteDot(at, loc, shapes.tall, acc, ones, vector::BitCastOp::create(at, loc, words, numbers));
    };
    forEach(b, count, 1, [&](OpBuilder &each, Value i) {
      Value row = arith::AddIOp::create(each, loc, first, i);
      auto loop = scf::ForOp::create(each, loc, constant(each, 0), whole, size, ValueRange{splat(each, 0)},
                                     [&](OpBuilder &k, Location, Value place, ValueRange acc) {
                                       Value numbers =
                                           vector::LoadOp::create(k, loc, bytes, lhs, ValueRange{row, place});
                                       scf::YieldOp::create(k, loc, sumOf(k, acc.front(), numbers));
                                     });
      Value mask = vector::CreateMaskOp::create(each, loc, VectorType::get({kGroup * lanes}, each.getI1Type()), rest);
      Value zero = arith::ConstantOp::create(each, loc, each.getZeroAttr(bytes));
      Value numbers =
          vector::MaskedLoadOp::create(each, loc, bytes, lhs, ValueRange{row, whole}, mask, zero).getResult();
      Value sum =
          vector::ReductionOp::create(each, loc, vector::CombiningKind::ADD, sumOf(each, loop.getResult(0), numbers));
      Value factor = arith::ConstantIntOp::create(each, loc, -128, 32);
      memref::StoreOp::create(each, loc, arith::MulIOp::create(each, loc, sum, factor), starts, ValueRange{i});
    });
  }

  QuantizedMatmulOp matmul;
  MatmulEpilogue epilogue;
  ProductPlan shapes;
  LeftRows left;
  int64_t lanes;
  VectorType words;
  OpFoldResult rows, steps;
  Value columns;
  Value starts;  ///< of the sums of rows: of all, or of a tile's
  bool keepsAll; ///< of all
};

} // namespace

void emitQuantizedDots(QuantizedMatmulOp matmul, const ProductPlan &shapes) {
  QuantizedDotEmitter(matmul, shapes).emit();
}

} // namespace weft
