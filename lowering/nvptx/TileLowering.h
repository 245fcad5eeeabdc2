// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the patterns of weft-convert-tile-ops share: a thread's own numbers, addresses in shared memory, assembly.
#ifndef WEFT_LOWERING_NVPTX_TILELOWERING_H
#define WEFT_LOWERING_NVPTX_TILELOWERING_H

#include "dialects/tile/FragmentLayout.h"
#include "dialects/tile/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace weft {

/// Writes the code of one thread. Integers are i32 unless something else is said.
class ThreadCode {
public:
  ThreadCode(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value constant(int64_t value);
  mlir::Value add(mlir::Value x, mlir::Value y) { return fold<mlir::arith::AddIOp>(x, y); }
  mlir::Value add(mlir::Value x, int64_t y) { return y ? add(x, constant(y)) : x; }
  mlir::Value times(mlir::Value x, int64_t y) { return fold<mlir::arith::MulIOp>(x, constant(y)); }
  mlir::Value over(mlir::Value x, int64_t y) { return fold<mlir::arith::DivUIOp>(x, constant(y)); }
  mlir::Value modulo(mlir::Value x, int64_t y) { return fold<mlir::arith::RemUIOp>(x, constant(y)); }
  mlir::Value exclusive(mlir::Value x, mlir::Value y) { return fold<mlir::arith::XOrIOp>(x, y); }
  mlir::Value isBelow(mlir::Value x, mlir::Value y);
  mlir::Value isEqual(mlir::Value x, int64_t y);
  mlir::Value both(mlir::Value x, mlir::Value y) { return fold<mlir::arith::AndIOp>(x, y); }
  /// An index or i64 as i32.
  mlir::Value narrow(mlir::Value x);
  mlir::Value wide(mlir::Value index);

  mlir::Value thread();
  mlir::Value lane();
  /// The thread's warp in a group of a power of two of warps.
  mlir::Value warpOf(int64_t warps);
  /// The same number in all threads of the warp, and known to be so.
  mlir::Value uniform(mlir::Value x);

  mlir::Value at(mlir::Value pointer, int64_t bytes);
  mlir::Value at(mlir::Value pointer, mlir::Value bytes);
  /// A shared address as a number.
  mlir::Value addressOf(mlir::Value pointer);
  /// Runs `body` in the threads for which `condition` holds.
  void when(mlir::Value condition, llvm::function_ref<void()> body);

  /// Volatile assembly. Constraints are LLVM's; results are taken apart.
  llvm::SmallVector<mlir::Value> assembly(const std::string &text, const std::string &constraints,
                                          mlir::ValueRange operands, mlir::TypeRange results);
  llvm::SmallVector<mlir::Value> unpacked(mlir::Value aggregate);

private:
  template <typename Op> mlir::Value fold(mlir::Value x, mlir::Value y) { return b.createOrFold<Op>(loc, x, y); }
};

/// Row and column of lane 0's element that a thread begins at: what lane and warp add to a fragment's places.
struct ThreadPlace {
  mlir::Value row, column;

  static ThreadPlace of(ThreadCode &code, tile::FragmentType fragment);
};

/// Addresses of a buffer in shared memory.
class BufferAddress {
public:
  /// `columnsOfWarp`: by how many columns a warp's number moves `byte`, if at all.
  BufferAddress(ThreadCode &code, tile::BufferType type, mlir::Value base, int64_t columnsOfWarp = 0)
      : code(code), type(type), base(base), isSumOfBits((columnsOfWarp & (columnsOfWarp - 1)) == 0) {}

  /// Of row `row` + `constant.row` and byte `byte` + `constant.column` of it. `constant.row` is a multiple of 8. The
  /// bits of `constant.column` are none that `byte` has, where what a warp adds is a power of two: then constants are
  /// XORed into one swizzled number.
  mlir::Value of(mlir::Value row, mlir::Value byte, tile::Place constant);

private:
  ThreadCode &code;
  tile::BufferType type;
  mlir::Value base;
  bool isSumOfBits;
};

/// A fragment's numbers, one a value, from its registers, and back.
llvm::SmallVector<mlir::Value> elementsOf(ThreadCode &code, tile::FragmentType type, mlir::ValueRange registers);
llvm::SmallVector<mlir::Value> registersOf(ThreadCode &code, tile::FragmentType type, mlir::ValueRange elements);

/// Fragments are their registers, buffers and pipelines a pointer.
class TileTypes : public mlir::TypeConverter {
public:
  TileTypes();
};

void populateTileMemory(const TileTypes &types, mlir::RewritePatternSet &patterns);
void populateTileGlobal(const TileTypes &types, mlir::RewritePatternSet &patterns);
void populateTileFragments(const TileTypes &types, mlir::RewritePatternSet &patterns);
void populateTileProducts(const TileTypes &types, mlir::RewritePatternSet &patterns);
void populateTileGroups(const TileTypes &types, mlir::RewritePatternSet &patterns);
void populateTileRoles(const TileTypes &types, mlir::RewritePatternSet &patterns);

/// Operands that are one value each.
inline llvm::SmallVector<mlir::Value> flat(llvm::ArrayRef<mlir::ValueRange> operands) {
  return llvm::map_to_vector(operands, [](mlir::ValueRange values) { return values.front(); });
}

/// A pattern whose operands may be several values each.
template <typename OpType> class TilePattern : public mlir::OpConversionPattern<OpType> {
public:
  using mlir::OpConversionPattern<OpType>::OpConversionPattern;
  using Adaptor = typename mlir::OpConversionPattern<OpType>::OneToNOpAdaptor;

  mlir::LogicalResult matchAndRewrite(OpType op, Adaptor adaptor,
                                      mlir::ConversionPatternRewriter &rewriter) const final {
    ThreadCode code(rewriter, op.getLoc());
    rewrite(op, adaptor, code, rewriter);
    return mlir::success();
  }

  virtual void rewrite(OpType op, Adaptor adaptor, ThreadCode &code,
                       mlir::ConversionPatternRewriter &rewriter) const = 0;
};

} // namespace weft

#endif // WEFT_LOWERING_NVPTX_TILELOWERING_H
