// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared memory and what is copied to it: tile.alloc, stage, slice, copy_async, load, store → addresses, cp.async,
// ld.shared, st.shared and stmatrix.
#include "lowering/nvptx/TileLowering.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

constexpr const char *kSharedSymbol = "global_smem";
constexpr unsigned kSharedSpace = static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared);

/// Byte `offset` of the block's shared memory.
Value sharedMemory(ThreadCode &code, int64_t offset) {
  auto pointer = LLVM::LLVMPointerType::get(code.b.getContext(), kSharedSpace);
  Value start = LLVM::AddressOfOp::create(code.b, code.loc, pointer, kSharedSymbol);
  return code.at(start, offset);
}

struct ConvertAlloc : TilePattern<AllocOp> {
  using TilePattern::TilePattern;
  void rewrite(AllocOp op, Adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, sharedMemory(code, *op.getOffset()));
  }
};

struct ConvertStage : TilePattern<StageOp> {
  using TilePattern::TilePattern;
  void rewrite(StageOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    BufferType ring = op.getRing().getType();
    Value stage = code.modulo(code.narrow(adaptor.getIndex().front()), ring.getStages());
    rewriter.replaceOp(op, code.at(adaptor.getRing().front(), code.times(stage, ring.stageBytes())));
  }
};

struct ConvertSlice : TilePattern<SliceOp> {
  using TilePattern::TilePattern;
  void rewrite(SliceOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    BufferType whole = op.getWhole().getType();
    int64_t panel = op.getColumn() * whole.elementBytes() / whole.rowBytes() * whole.panelBytes();
    Value row = code.times(code.narrow(adaptor.getRow().front()), whole.rowBytes());
    rewriter.replaceOp(op, code.at(code.at(adaptor.getWhole().front(), row), panel));
  }
};

/// How a group's threads share a buffer: thread t copies piece t, t + threads, … of its rows' pieces.
struct Sharing {
  int64_t threads, bytes, perRow, passes;
  /// Rows further on with each pass; 0 where a pass is not of whole rows.
  int64_t rowsOfPass;

  explicit Sharing(CopyAsyncOp op) : threads(32 * op.getWarps()), bytes(op.getBytes()) {
    BufferType buffer = op.getBuffer().getType();
    perRow = buffer.getColumns() * buffer.elementBytes() / bytes;
    passes = buffer.getRows() * perRow / threads;
    rowsOfPass = threads % perRow ? 0 : threads / perRow;
  }
};

class CopyEmitter {
public:
  CopyEmitter(CopyAsyncOp op, CopyAsyncOp::GenericAdaptor<ArrayRef<ValueRange>> operands, ThreadCode &code)
      : type(op.getBuffer().getType()), code(code), sharing(op), address(code, type, operands.getBuffer().front()),
        pointer(operands.getSource().front()), firstRow(operands.getRow().front()),
        firstColumn(operands.getColumn().front()), stride(operands.getStride().front()),
        extents(flat(operands.getExtents())) {}

  void run() {
    thread = code.modulo(code.thread(), sharing.threads);
    if (!extents.empty()) {
      rowsLeft = left(extents[0], firstRow);
      columnsLeft = left(extents[1], firstColumn);
    }
    for (int64_t pass = 0; pass < sharing.passes; ++pass)
      copy(pass);
  }

private:
  BufferType type;
  ThreadCode &code;
  Sharing sharing;
  BufferAddress address;
  Value pointer, firstRow, firstColumn, stride;
  SmallVector<Value> extents;
  Value thread, rowsLeft, columnsLeft;

  Value left(Value extent, Value start) {
    return code.narrow(code.b.createOrFold<arith::SubIOp>(code.loc, extent, start));
  }

  void copy(int64_t pass) {
    bool fast = sharing.rowsOfPass && sharing.rowsOfPass % 8 == 0;
    Value piece = fast ? thread : code.add(thread, pass * sharing.threads);
    Value row = code.over(piece, sharing.perRow), byte = code.times(code.modulo(piece, sharing.perRow), sharing.bytes);
    int64_t further = fast ? pass * sharing.rowsOfPass : 0;
    Value target = address.of(row, byte, {further, 0});
    Value rowHere = code.add(row, further), column = code.over(byte, type.elementBytes());
    Value size = extents.empty() ? Value() : bytesInside(rowHere, column);
    auto cache = sharing.bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(code.b, code.loc, target, source(rowHere, column), sharing.bytes, cache, size);
  }

  Value source(Value row, Value column) {
    auto plus = [&](Value x, Value y) {
      return code.b.createOrFold<arith::AddIOp>(code.loc, code.wide(x), code.wide(y));
    };
    Value rows = plus(firstRow, row);
    Value start = code.b.createOrFold<arith::MulIOp>(code.loc, rows, code.wide(stride));
    Value element = plus(start, plus(firstColumn, column));
    return LLVM::GEPOp::create(code.b, code.loc, pointer.getType(), type.getElement(), pointer,
                               ArrayRef<LLVM::GEPArg>{element});
  }

  /// 0 makes cp.async write zeros and read nothing.
  Value bytesInside(Value row, Value column) {
    Value inside = code.both(code.isBelow(row, rowsLeft), code.isBelow(column, columnsLeft));
    return arith::SelectOp::create(code.b, code.loc, inside, code.constant(sharing.bytes), code.constant(0));
  }
};

struct ConvertCopyAsync : TilePattern<CopyAsyncOp> {
  using TilePattern::TilePattern;
  void rewrite(CopyAsyncOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    CopyEmitter(op, adaptor, code).run();
    rewriter.eraseOp(op);
  }
};

/// A buffer as what it becomes, for code that is of threads already.
struct ConvertPointer : OpConversionPattern<UnrealizedConversionCastOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(UnrealizedConversionCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getNumOperands() != 1 || !isa<BufferType>(op.getOperand(0).getType()) ||
        adaptor.getInputs().front().getType() != op.getResult(0).getType())
      return failure();
    rewriter.replaceOp(op, adaptor.getInputs());
    return success();
  }
};

struct ConvertCommitCopies : TilePattern<CommitCopiesOp> {
  using TilePattern::TilePattern;
  void rewrite(CommitCopiesOp op, Adaptor, ThreadCode &, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::CpAsyncCommitGroupOp>(op);
  }
};

struct ConvertWaitCopies : TilePattern<WaitCopiesOp> {
  using TilePattern::TilePattern;
  void rewrite(WaitCopiesOp op, Adaptor, ThreadCode &, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::CpAsyncWaitGroupOp>(op, op.getPending());
  }
};

struct ConvertSync : TilePattern<SyncOp> {
  using TilePattern::TilePattern;
  void rewrite(SyncOp op, Adaptor, ThreadCode &, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::Barrier0Op>(op);
  }
};

/// Neighbours in a row that a lane moves at once: a register of packed numbers, or two numbers of 32 bits.
struct Pieces {
  int64_t elements, bytes;

  explicit Pieces(FragmentType type) {
    FragmentLayout layout(type);
    elements = std::min<int64_t>(layout.vectorWidth(), 2);
    bytes = elements * type.getElement().getIntOrFloatBitWidth() / 8;
  }
};

/// Goes over a fragment's pieces: index of the first element, address.
template <typename Visit>
void forEachPiece(ThreadCode &code, FragmentType fragment, BufferType type, Value buffer, Visit visit) {
  FragmentLayout layout(fragment);
  BufferAddress address(code, type, buffer, layout.columnsOfWarp());
  ThreadPlace mine = ThreadPlace::of(code, fragment);
  Value byte = code.times(mine.column, type.elementBytes());
  for (int64_t index = 0; index < layout.elementsPerLane(); index += Pieces(fragment).elements) {
    Place place = layout.placeOfElement(index);
    visit(index, address.of(mine.row, byte, {place.row, place.column * type.elementBytes()}));
  }
}

struct ConvertStore : TilePattern<StoreOp> {
  using TilePattern::TilePattern;

  void rewrite(StoreOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    ValueRange registers = adaptor.getFragment();
    Value buffer = adaptor.getBuffer().front();
    if (op.getByMatrix())
      storeMatrices(op, registers, buffer, code);
    else
      storePieces(op, registers, buffer, code);
    rewriter.eraseOp(op);
  }

  void storePieces(StoreOp op, ValueRange registers, Value buffer, ThreadCode &code) const {
    FragmentType fragment = op.getFragment().getType();
    bool packed = FragmentLayout(fragment).elementsPerRegister() == 2;
    forEachPiece(code, fragment, op.getBuffer().getType(), buffer, [&](int64_t index, Value address) {
      Value value = packed ? registers[index / 2] : pair(code, registers.slice(index, 2));
      LLVM::StoreOp::create(code.b, code.loc, value, address, Pieces(fragment).bytes);
    });
  }

  Value pair(ThreadCode &code, ValueRange two) const {
    Value together = LLVM::PoisonOp::create(code.b, code.loc, VectorType::get(2, two[0].getType()));
    for (auto [index, value] : llvm::enumerate(two))
      together = LLVM::InsertElementOp::create(code.b, code.loc, together, value, code.constant(index));
    return together;
  }

  /// stmatrix of 16 × 16 numbers: the registers of two tiles are its four matrices; lanes 0 to 15 give the rows of the
  /// left two, the others those of the right two. An odd tile goes alone.
  void storeMatrices(StoreOp op, ValueRange registers, Value buffer, ThreadCode &code) const {
    FragmentType fragment = op.getFragment().getType();
    BufferType type = op.getBuffer().getType();
    FragmentLayout layout(fragment);
    BufferAddress address(code, type, buffer, layout.columnsOfWarp());
    Value lane = code.lane(), warp = code.warpOf(warpsOf(fragment.getLayout()));
    Value row = code.add(code.modulo(lane, 16), code.times(code.over(warp, layout.warpsAcross()), layout.rowsOfWarp()));
    Value half = code.times(code.over(lane, 16), 16);
    Value byte = code.add(half, code.times(code.modulo(warp, layout.warpsAcross()), 2 * layout.columnsOfWarp()));
    int64_t across = layout.tilesAcross();
    for (int64_t tile = 0; tile < layout.tilesDown() * across; tile += across - tile % across > 1 ? 2 : 1) {
      int64_t matrices = across - tile % across > 1 ? 4 : 2;
      Value target = address.of(row, byte, {tile / across * 16, tile % across * 16});
      auto shape = NVVM::LdStMatrixShapeAttr::get(code.b.getContext(), 8, 8);
      NVVM::StMatrixOp::create(code.b, code.loc, target, registers.slice(2 * tile, matrices), NVVM::MMALayout::row,
                               shape, NVVM::LdStMatrixEltType::B16);
    }
  }
};

} // namespace

void populateTileMemory(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertAlloc, ConvertPointer, ConvertStage, ConvertSlice, ConvertCopyAsync, ConvertCommitCopies,
               ConvertWaitCopies, ConvertSync, ConvertStore>(types, patterns.getContext());
}

} // namespace weft
