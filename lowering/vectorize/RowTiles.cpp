// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// count rows → scf.for over tiles { scf.index_switch over the height { tile } }, or two loops where count is known.
#include "lowering/vectorize/RowTiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace weft {
namespace {

struct RowTiles {
  Location loc;
  const RowTileBody &tile;

  Value constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  /// Tiles `begin` to `end` of `rows` rows each, from row `first` on.
  void equalTiles(OpBuilder &b, int64_t begin, int64_t end, int64_t rows, int64_t first) {
    if (end - begin == 1)
      return tile(b, rows, constant(b, first), constant(b, begin));
    if (begin == end)
      return;
    scf::ForOp::create(b, loc, constant(b, begin), constant(b, end), constant(b, 1), ValueRange(),
                       [&](OpBuilder &body, Location, Value index, ValueRange) {
                         Value before = arith::SubIOp::create(body, loc, index, constant(body, begin));
                         Value offset = arith::MulIOp::create(body, loc, before, constant(body, rows));
                         Value row = arith::AddIOp::create(body, loc, offset, constant(body, first));
                         tile(body, rows, row, index);
                         scf::YieldOp::create(body, loc);
                       });
  }

  void knownCount(OpBuilder &b, int64_t count, int64_t most) {
    if (count == 0)
      return;
    int64_t tiles = llvm::divideCeilSigned(count, most), low = count / tiles, taller = count % tiles;
    equalTiles(b, 0, taller, low + 1, 0);
    equalTiles(b, taller, tiles, low, taller * (low + 1));
  }

  void anyCount(OpBuilder &b, Value count, int64_t least, int64_t most) {
    Value tiles = arith::CeilDivUIOp::create(b, loc, count, constant(b, most));
    // No rows, no tiles; the divisions below need one.
    Value divisor = arith::MaxUIOp::create(b, loc, tiles, constant(b, 1));
    Value low = arith::DivUIOp::create(b, loc, count, divisor);
    Value taller = arith::RemUIOp::create(b, loc, count, divisor);
    // The first row is carried along: were it computed from the index, LLVM would sink the division into inner loops.
    scf::ForOp::create(b, loc, constant(b, 0), tiles, constant(b, 1), constant(b, 0),
                       [&](OpBuilder &body, Location, Value index, ValueRange carried) {
                         // The taller tiles come first.
                         Value isTall = arith::CmpIOp::create(body, loc, arith::CmpIPredicate::ult, index, taller);
                         Value more = arith::ExtUIOp::create(body, loc, body.getI64Type(), isTall);
                         more = arith::IndexCastOp::create(body, loc, body.getIndexType(), more);
                         Value height = arith::AddIOp::create(body, loc, low, more), row = carried.front();
                         heights(body, height, row, index, least, most);
                         scf::YieldOp::create(body, loc, arith::AddIOp::create(body, loc, row, height).getResult());
                       });
  }

  void heights(OpBuilder &b, Value height, Value row, Value index, int64_t least, int64_t most) {
    SmallVector<int64_t> cases;
    for (int64_t rows = least; rows < most; ++rows)
      cases.push_back(rows);
    auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange(), height, cases, cases.size());
    auto emitCase = [&](Region &region, int64_t rows) {
      OpBuilder body = OpBuilder::atBlockBegin(&region.emplaceBlock());
      tile(body, rows, row, index);
      scf::YieldOp::create(body, loc);
    };
    for (auto [rows, region] : llvm::zip_equal(cases, choice.getCaseRegions()))
      emitCase(region, rows);
    emitCase(choice.getDefaultRegion(), most);
  }
};

} // namespace

void emitRowTiles(OpBuilder &builder, Location loc, OpFoldResult count, int64_t least, int64_t most,
                  const RowTileBody &tile) {
  RowTiles tiles{loc, tile};
  if (std::optional<int64_t> fixed = getConstantIntValue(count))
    tiles.knownCount(builder, *fixed, most);
  else
    tiles.anyCount(builder, cast<Value>(count), least, most);
}

void emitByRowCount(OpBuilder &builder, Location loc, OpFoldResult count, int64_t most,
                    function_ref<void(OpBuilder &)> few, function_ref<void(OpBuilder &)> many) {
  if (std::optional<int64_t> fixed = getConstantIntValue(count))
    return *fixed <= most ? few(builder) : many(builder);
  Value limit = arith::ConstantIndexOp::create(builder, loc, most);
  Value isFew = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, cast<Value>(count), limit);
  auto branch = scf::IfOp::create(builder, loc, isFew, /*withElseRegion=*/true);
  OpBuilder then = branch.getThenBodyBuilder(), otherwise = branch.getElseBodyBuilder();
  few(then);
  many(otherwise);
}

} // namespace weft
