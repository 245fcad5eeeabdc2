// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/tile/FragmentLayout.h"

#include "dialects/tile/TileOps.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace weft::tile {

namespace {

constexpr unsigned kLaneBits = 5;

/// One tile: its extents, and where each bit of an element's index and of the lane's number goes.
struct TileForm {
  int64_t rows, columns;
  SmallVector<Place> elementBits, laneBits;
};

/// 16 × 8 sums: elements (0, 1) and (8, 0); lanes two columns apart, then rows.
TileForm accumulatorForm() { return {16, 8, {{0, 1}, {8, 0}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}; }

/// Words of `inWord` neighbours along K; lanes: a word on along K (two bits), then the other dimension. A word has four
/// bytes, a tile eight words along K.
TileForm operandForm(bool left, int64_t inWord) {
  TileForm form{left ? 16 : 8 * inWord, left ? 8 * inWord : 8, {}, {}};
  auto along = [&](int64_t k, int64_t other) { return left ? Place{other, k} : Place{k, other}; };
  for (int64_t k = 1; k < inWord; k *= 2)
    form.elementBits.push_back(along(k, 0));
  if (left)
    form.elementBits.push_back({8, 0});
  form.elementBits.push_back(along(4 * inWord, 0));
  form.laneBits = {along(inWord, 0), along(2 * inWord, 0), along(0, 1), along(0, 2), along(0, 4)};
  return form;
}

/// The accumulator's rows alone, or its columns.
TileForm rowForm() { return {16, 1, {{8, 0}}, {{0, 0}, {0, 0}, {1, 0}, {2, 0}, {4, 0}}}; }
TileForm columnForm() { return {1, 8, {{0, 1}}, {{0, 2}, {0, 4}, {0, 0}, {0, 0}, {0, 0}}}; }

TileForm formOf(Attribute layout, unsigned elementBits) {
  if (auto operand = dyn_cast<OperandAttr>(layout))
    return operandForm(operand.getSide() == "a", 32 / elementBits);
  if (isa<RowValuesAttr>(layout))
    return rowForm();
  return isa<ColumnValuesAttr>(layout) ? columnForm() : accumulatorForm();
}

/// How many warps a fragment's rows and columns are cut over.
std::pair<int64_t, int64_t> cut(Attribute layout) {
  if (auto accumulator = dyn_cast<AccumulatorAttr>(layout))
    return {accumulator.getRows(), accumulator.getColumns()};
  if (auto operand = dyn_cast<OperandAttr>(layout))
    return operand.getSide() == "a" ? std::pair(operand.getRows(), int64_t(1))
                                    : std::pair(int64_t(1), operand.getColumns());
  if (auto rows = dyn_cast<RowValuesAttr>(layout))
    return {rows.getRows(), 1};
  return {1, cast<ColumnValuesAttr>(layout).getColumns()};
}

std::pair<int64_t, int64_t> gridOfWarps(Attribute layout) {
  auto of = [](auto attribute) { return std::pair(attribute.getRows(), attribute.getColumns()); };
  if (auto accumulator = dyn_cast<AccumulatorAttr>(layout))
    return of(accumulator);
  if (auto operand = dyn_cast<OperandAttr>(layout))
    return of(operand);
  if (auto rows = dyn_cast<RowValuesAttr>(layout))
    return of(rows);
  return of(cast<ColumnValuesAttr>(layout));
}

/// A vector of rows is R × 1, one of columns 1 × C.
std::pair<int64_t, int64_t> extentsOf(ArrayRef<int64_t> shape, Attribute layout) {
  if (shape.size() == 2)
    return {shape[0], shape[1]};
  return isa<RowValuesAttr>(layout) ? std::pair(shape[0], int64_t(1)) : std::pair(int64_t(1), shape[0]);
}

BitMatrix tileMap(const TileForm &form, unsigned columnBits) {
  SmallVector<uint64_t> images;
  for (Place bit : llvm::concat<const Place>(form.elementBits, form.laneBits))
    images.push_back(uint64_t(bit.row) << columnBits | uint64_t(bit.column));
  return BitMatrix(columnBits + llvm::Log2_64(form.rows), images);
}

} // namespace

FragmentLayout::FragmentLayout(FragmentType type) : map(BitMatrix::identity(0)) {
  TileForm form = formOf(type.getLayout(), type.getElement().getIntOrFloatBitWidth());
  columnBits = llvm::Log2_64(form.columns);
  registerBits = form.elementBits.size();
  map = tileMap(form, columnBits);
  auto [rows, columns] = extentsOf(type.getShape(), type.getLayout());
  auto [rowParts, columnParts] = cut(type.getLayout());
  std::tie(rowWarps, columnWarps) = gridOfWarps(type.getLayout());
  tileRows = form.rows, tileColumns = form.columns;
  repeatRows = rows / rowParts / tileRows, repeatColumns = columns / columnParts / tileColumns;
  warpRowStep = rowParts > 1 ? rows / rowParts : 0, warpColumnStep = columnParts > 1 ? columns / columnParts : 0;
  packed = form.elementBits.empty() ? 1 : 32 / type.getElement().getIntOrFloatBitWidth();
}

Place FragmentLayout::placeOfElement(int64_t index) const {
  int64_t tile = index / tileElements();
  Place corner{tile / repeatColumns * tileRows, tile % repeatColumns * tileColumns};
  return corner + split(map(index % tileElements()));
}

Place FragmentLayout::placeOfLane(unsigned lane) const { return split(map(uint64_t(lane) << registerBits)); }

Place FragmentLayout::placeOfWarp(int64_t warp) const {
  return {warp / columnWarps * warpRowStep, warp % columnWarps * warpColumnStep};
}

unsigned FragmentLayout::vectorWidth() const {
  return tile::vectorWidth(map.restrictedTo(0, registerBits), tileElements());
}

SmallVector<Place> FragmentLayout::laneBits() const {
  SmallVector<Place> bits;
  for (unsigned bit = 0; bit < kLaneBits; ++bit)
    bits.push_back(placeOfLane(1u << bit));
  return bits;
}

int64_t warpsOf(Attribute layout) {
  auto [rows, columns] = gridOfWarps(layout);
  return rows * columns;
}

std::string whyNotLaidOut(ArrayRef<int64_t> shape, Type element, Attribute layout) {
  if (!isa<AccumulatorAttr, OperandAttr, RowValuesAttr, ColumnValuesAttr>(layout))
    return "has one of the layouts accumulator, operand, row_values and column_values";
  bool vector = isa<RowValuesAttr, ColumnValuesAttr>(layout);
  if (shape.size() != (vector ? 1 : 2))
    return vector ? "is a vector in this layout" : "is a matrix in this layout";
  unsigned bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
  if (bits != 32 && bits != 16 && bits != 8)
    return "holds numbers of 32, 16 or 8 bits";
  if (bits == 8 && !isa<OperandAttr>(layout))
    return "holds numbers of 8 bits only as an operand";
  TileForm form = formOf(layout, bits);
  if (vector && bits != 32)
    return "holds numbers of 32 bits where it has one for a row or a column";
  auto [rows, columns] = extentsOf(shape, layout);
  auto [rowParts, columnParts] = cut(layout);
  if (rows <= 0 || columns <= 0 || rows % (rowParts * form.rows) || columns % (columnParts * form.columns))
    return llvm::formatv("is made of tiles of {0} x {1} for each of {2} x {3} warps", form.rows, form.columns, rowParts,
                         columnParts);
  return "";
}

bool sameDistribution(FragmentType one, FragmentType other) {
  FragmentLayout a(one), b(other);
  if (a.elementsPerLane() != b.elementsPerLane() || warpsOf(one.getLayout()) != warpsOf(other.getLayout()))
    return false;
  for (unsigned bit = 0; bit < kLaneBits; ++bit)
    if (a.placeOfLane(1u << bit) != b.placeOfLane(1u << bit))
      return false;
  for (int64_t warp = 0; warp < warpsOf(one.getLayout()); ++warp)
    if (a.placeOfWarp(warp) != b.placeOfWarp(warp))
      return false;
  return llvm::all_of(llvm::seq<int64_t>(a.elementsPerLane()),
                      [&](int64_t index) { return a.placeOfElement(index) == b.placeOfElement(index); });
}

} // namespace weft::tile
