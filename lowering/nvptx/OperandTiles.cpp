// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/OperandTiles.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {

OperandTiles::OperandTiles(ThreadCode &code, FragmentType fragment, BufferType buffer, bool transposed,
                           ValueRange values)
    : code(code), layout(fragment), buffer(buffer), left(cast<OperandAttr>(fragment.getLayout()).getSide() == "a"),
      exchanges(transposed == left), values(values) {
  if (!buffer)
    return;
  if (!isByWord()) {
    placeLane();
    return;
  }
  ThreadPlace mine = ThreadPlace::of(code, fragment);
  row = left ? mine.column : mine.row;
  byte = code.times(left ? mine.row : mine.column, buffer.elementBytes());
}

/// ldmatrix.x4 loads four 8 × 8 matrices (rows of 16 bytes); lanes 8 i to 8 i + 7 give the addresses of matrix i's
/// rows. The order of a tile's words makes the second matrix the next eight of the outer dimension for the left factor,
/// and the next 16 bytes along K for the right one; where the buffer's rows go along K, the other way round (PTX ISA,
/// "ldmatrix").
void OperandTiles::placeLane() {
  Value lane = code.lane();
  bool secondIsBelow = left != exchanges;
  Value low = secondIsBelow ? code.modulo(lane, 16) : code.modulo(lane, 8);
  Value high = code.over(lane, 16);
  row = secondIsBelow ? low : code.add(low, code.times(high, 8));
  byte = code.times(secondIsBelow ? high : code.modulo(code.over(lane, 8), 2), 16);
  int64_t step = left ? layout.rowsOfWarp() : layout.columnsOfWarp();
  if (!step)
    return;
  Value warp = code.warpOf(layout.warpsDown() * layout.warpsAcross());
  Value part = left ? code.over(warp, layout.warpsAcross()) : code.modulo(warp, layout.warpsAcross());
  if (exchanges)
    byte = code.add(byte, code.times(part, step * buffer.elementBytes()));
  else
    row = code.add(row, code.times(part, step));
}

SmallVector<Value> OperandTiles::words(int64_t outer, int64_t k) const {
  if (buffer)
    return isByWord() ? loadedByWord(outer, k) : loaded(outer, k);
  SmallVector<Value> all;
  for (int64_t tile = outer; tile < outer + tilesAtOnce(outer); ++tile) {
    int64_t index = left ? tile * stepsOfK() + k : k * outerTiles() + tile;
    llvm::append_range(all, values.slice(index * wordsOfTile(), wordsOfTile()));
  }
  return all;
}

SmallVector<Value> OperandTiles::loaded(int64_t outer, int64_t k) const {
  constexpr int64_t kBytesOfStep = 32;
  int64_t outerOfTile = left ? layout.rowsOfTile() : layout.columnsOfTile();
  Place constant{outer * outerOfTile, k * kBytesOfStep};
  if (exchanges)
    constant = {k * kBytesOfStep / buffer.elementBytes(), outer * outerOfTile * buffer.elementBytes()};
  int64_t columnsOfWarp = exchanges ? (left ? layout.rowsOfWarp() : layout.columnsOfWarp()) : 0;
  Value address = BufferAddress(code, buffer, values.front(), columnsOfWarp).of(row, byte, constant);
  int64_t count = wordsOfTile() * tilesAtOnce(outer);
  SmallVector<Type> words(count, code.b.getI32Type());
  Type type = LLVM::LLVMStructType::getLiteral(code.b.getContext(), words);
  auto shape = NVVM::LdStMatrixShapeAttr::get(code.b.getContext(), 8, 8);
  Value matrices = NVVM::LdMatrixOp::create(code.b, code.loc, type, address, count,
                                            exchanges ? NVVM::MMALayout::col : NVVM::MMALayout::row, shape,
                                            NVVM::LdStMatrixEltType::B16);
  return code.unpacked(matrices);
}

SmallVector<Value> OperandTiles::loadedByWord(int64_t outer, int64_t k) const {
  BufferAddress address(code, buffer, values.front(), left ? layout.rowsOfWarp() : layout.columnsOfWarp());
  SmallVector<Value> words;
  for (int64_t tile = outer; tile < outer + tilesAtOnce(outer); ++tile)
    for (int64_t word = 0; word < wordsOfTile(); ++word) {
      int64_t index = left ? tile * stepsOfK() + k : k * outerTiles() + tile;
      Place place = layout.placeOfElement(index * wordsOfTile() + word);
      if (left)
        std::swap(place.row, place.column);
      // Rows of a tile are four apart, the swizzle's pattern eight: what is not a multiple goes into the row.
      Value at =
          address.of(code.add(row, place.row % 8), byte, {place.row / 8 * 8, place.column * buffer.elementBytes()});
      words.push_back(LLVM::LoadOp::create(code.b, code.loc, code.b.getI32Type(), at, buffer.elementBytes()));
    }
  return words;
}

} // namespace weft
