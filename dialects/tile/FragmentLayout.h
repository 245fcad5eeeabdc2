// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which element of a fragment lies in which register of which lane of which warp.
#ifndef WEFT_DIALECTS_TILE_FRAGMENTLAYOUT_H
#define WEFT_DIALECTS_TILE_FRAGMENTLAYOUT_H

#include "dialects/tile/LayoutAlgebra.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/Types.h"

#include <string>

namespace weft::tile {

class FragmentType;

/// A place in a fragment; of a vector's, the other coordinate is 0.
struct Place {
  int64_t row = 0, column = 0;
  bool operator==(const Place &other) const = default;
  Place operator+(const Place &other) const { return {row + other.row, column + other.column}; }
};

/// A fragment is a grid of equal tiles. In a tile the layout is linear over bits; tiles follow each other in the
/// registers of a warp, row of tiles by row of tiles; warps hold equal parts, and part w of the fragment is warp
/// w / columnWarps, w mod columnWarps.
class FragmentLayout {
public:
  explicit FragmentLayout(FragmentType type);

  /// Numbers that each lane holds, which is not how many registers: `elementsPerRegister` are in one.
  int64_t elementsPerLane() const { return tileElements() * repeatRows * repeatColumns; }
  int64_t elementsPerRegister() const { return packed; }
  int64_t registers() const { return elementsPerLane() / packed; }
  int64_t tileElements() const { return int64_t(1) << registerBits; }
  /// Tiles that a warp holds, below and beside each other.
  int64_t tilesDown() const { return repeatRows; }
  int64_t tilesAcross() const { return repeatColumns; }
  int64_t rowsOfTile() const { return tileRows; }
  int64_t columnsOfTile() const { return tileColumns; }
  /// Warps over rows and over columns; where a warp's number does not matter to a coordinate its factor is 0.
  int64_t warpsDown() const { return rowWarps; }
  int64_t warpsAcross() const { return columnWarps; }

  /// Where element `index` of lane 0 of warp 0 is: what is known when compiling.
  Place placeOfElement(int64_t index) const;
  /// What the lane adds.
  Place placeOfLane(unsigned lane) const;
  /// What the warp adds.
  Place placeOfWarp(int64_t warp) const;
  Place place(int64_t index, unsigned lane, int64_t warp) const {
    return placeOfElement(index) + placeOfLane(lane) + placeOfWarp(warp);
  }
  /// The tile's map: low bits of the input the element, then five of the lane; low bits of the output the column.
  const BitMatrix &tile() const { return map; }
  /// Neighbours in a row that lie in neighbouring elements.
  unsigned vectorWidth() const;
  /// A lane's bit moves the row or the column by so much.
  llvm::SmallVector<Place> laneBits() const;
  /// A warp's numbers along rows and columns move the place by so much.
  int64_t rowsOfWarp() const { return warpRowStep; }
  int64_t columnsOfWarp() const { return warpColumnStep; }

private:
  unsigned columnBits = 0, registerBits = 0;
  BitMatrix map;
  int64_t tileRows = 1, tileColumns = 1, repeatRows = 1, repeatColumns = 1, rowWarps = 1, columnWarps = 1;
  int64_t warpRowStep = 0, warpColumnStep = 0, packed = 1;

  Place split(uint64_t bits) const {
    return {int64_t(bits >> columnBits), int64_t(bits & ((uint64_t(1) << columnBits) - 1))};
  }
};

/// Warps over which a layout spreads a fragment.
int64_t warpsOf(mlir::Attribute layout);

/// Why a fragment of this shape and element cannot have this layout; empty where it can.
std::string whyNotLaidOut(llvm::ArrayRef<int64_t> shape, mlir::Type element, mlir::Attribute layout);

/// Whether every element of one fragment lies at the same index of the same lane and warp in the other.
bool sameDistribution(FragmentType one, FragmentType other);

} // namespace weft::tile

#endif // WEFT_DIALECTS_TILE_FRAGMENTLAYOUT_H
