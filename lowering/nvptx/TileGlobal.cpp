// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tile.load_global, tile.store_global → loads and stores of a lane's neighbours, where they are inside.
#include "lowering/nvptx/TileLowering.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

/// A part of a matrix in global memory, as one thread addresses a fragment's numbers in it.
class GlobalPart {
public:
  GlobalPart(ThreadCode &code, FragmentType fragment, Value pointer, Value row, Value column, ValueRange extents,
             Value stride)
      : code(code), element(fragment.getElement()), mine(ThreadPlace::of(code, fragment)), stride(code.wide(stride)) {
    Value rowHere = plus(row, mine.row), columnHere = plus(column, mine.column);
    Value start = plus(code.b.createOrFold<arith::MulIOp>(code.loc, rowHere, this->stride), columnHere);
    base = address(pointer, start);
    if (extents.empty())
      return;
    rowsLeft = left(extents[0], rowHere);
    columnsLeft = left(extents[1], columnHere);
  }

  Value addressOf(Place place) {
    Value rows = code.b.createOrFold<arith::MulIOp>(code.loc, stride, code.wide(code.constant(place.row)));
    Value row = place.row ? address(base, rows) : base;
    return code.at(row, place.column * element.getIntOrFloatBitWidth() / 8);
  }

  /// Null: always.
  Value isInside(Place place) {
    if (!rowsLeft)
      return {};
    return code.both(code.isBelow(code.constant(place.row), rowsLeft),
                     code.isBelow(code.constant(place.column), columnsLeft));
  }

  const ThreadPlace &thread() const { return mine; }

private:
  ThreadCode &code;
  Type element;
  ThreadPlace mine;
  Value stride, base, rowsLeft, columnsLeft;

  Value plus(Value x, Value y) { return code.b.createOrFold<arith::AddIOp>(code.loc, code.wide(x), code.wide(y)); }
  Value left(Value extent, Value start) {
    return code.narrow(code.b.createOrFold<arith::SubIOp>(code.loc, code.wide(extent), start));
  }
  Value address(Value pointer, Value index) {
    return LLVM::GEPOp::create(code.b, code.loc, pointer.getType(), element, pointer, ArrayRef<LLVM::GEPArg>{index});
  }
};

/// How many neighbours go at once where addresses are multiples of `bytes`, and whether one check serves them all.
int64_t neighbours(FragmentType fragment, std::optional<int64_t> bytes, bool even, bool checked) {
  int64_t elementBytes = fragment.getElement().getIntOrFloatBitWidth() / 8,
          most = FragmentLayout(fragment).vectorWidth();
  if (most < 2 || bytes.value_or(elementBytes) < 2 * elementBytes || (checked && !even))
    return 1;
  return 2;
}

struct ConvertStoreGlobal : TilePattern<StoreGlobalOp> {
  using TilePattern::TilePattern;

  void rewrite(StoreGlobalOp op, Adaptor adaptor, ThreadCode &code,
               ConversionPatternRewriter &rewriter) const override {
    FragmentType fragment = op.getFragment().getType();
    GlobalPart part(code, fragment, adaptor.getDestination().front(), adaptor.getRow().front(),
                    adaptor.getColumn().front(), flat(adaptor.getExtents()), adaptor.getStride().front());
    SmallVector<Value> elements = elementsOf(code, fragment, adaptor.getFragment());
    int64_t width = neighbours(fragment, op.getBytes(), op.getEven(), !op.getExtents().empty());
    Value chosen = isa<RowValuesAttr>(fragment.getLayout()) ? isFirstOfRow(fragment, code) : Value();
    for (int64_t index = 0; index < int64_t(elements.size()); index += width) {
      Place place = FragmentLayout(fragment).placeOfElement(index);
      Value value = together(code, ArrayRef(elements).slice(index, width));
      store(code, value, part.addressOf(place), condition(code, chosen, part.isInside(place)), op);
    }
    rewriter.eraseOp(op);
  }

  /// Of the lanes, and warps, that hold the same row value one stores it.
  Value isFirstOfRow(FragmentType fragment, ThreadCode &code) const {
    FragmentLayout layout(fragment);
    Value warp = code.warpOf(warpsOf(fragment.getLayout()));
    return code.both(code.isEqual(code.modulo(code.lane(), 4), 0),
                     code.isEqual(code.modulo(warp, layout.warpsAcross()), 0));
  }

  Value condition(ThreadCode &code, Value one, Value other) const {
    return one && other ? code.both(one, other) : one ? one : other;
  }

  Value together(ThreadCode &code, ArrayRef<Value> values) const {
    if (values.size() == 1)
      return values.front();
    Value vector = LLVM::PoisonOp::create(code.b, code.loc, VectorType::get(values.size(), values[0].getType()));
    for (auto [index, value] : llvm::enumerate(values))
      vector = LLVM::InsertElementOp::create(code.b, code.loc, vector, value, code.constant(index));
    return vector;
  }

  void store(ThreadCode &code, Value value, Value address, Value condition, StoreGlobalOp op) const {
    Type element = op.getFragment().getType().getElement();
    int64_t bytes = element.getIntOrFloatBitWidth() / 8;
    if (auto vector = dyn_cast<VectorType>(value.getType()))
      bytes *= vector.getNumElements();
    auto emit = [&] { LLVM::StoreOp::create(code.b, code.loc, value, address, bytes); };
    if (condition)
      code.when(condition, emit);
    else
      emit();
  }
};

struct ConvertLoadGlobal : TilePattern<LoadGlobalOp> {
  using TilePattern::TilePattern;

  void rewrite(LoadGlobalOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType fragment = op.getFragment().getType();
    GlobalPart part(code, fragment, adaptor.getSource().front(), adaptor.getRow().front(), adaptor.getColumn().front(),
                    flat(adaptor.getExtents()), adaptor.getStride().front());
    FragmentLayout layout(fragment);
    int64_t width = neighbours(fragment, op.getBytes(), op.getEven(), !op.getExtents().empty());
    SmallVector<Value> elements;
    for (int64_t index = 0; index < layout.elementsPerLane(); index += width) {
      Place place = layout.placeOfElement(index);
      Type type = width == 1 ? fragment.getElement() : VectorType::get(width, fragment.getElement());
      Value value = load(code, type, part.addressOf(place), part.isInside(place));
      for (int64_t i = 0; i < width; ++i)
        elements.push_back(
            width == 1 ? value : LLVM::ExtractElementOp::create(code.b, code.loc, value, code.constant(i)).getResult());
    }
    rewriter.replaceOpWithMultiple(op, {registersOf(code, fragment, elements)});
  }

  Value load(ThreadCode &code, Type type, Value address, Value condition) const {
    auto vector = dyn_cast<VectorType>(type);
    int64_t bytes =
        (vector ? vector.getElementType() : type).getIntOrFloatBitWidth() / 8 * (vector ? vector.getNumElements() : 1);
    auto emit = [&]() -> Value { return LLVM::LoadOp::create(code.b, code.loc, type, address, bytes); };
    if (!condition)
      return emit();
    auto branch = scf::IfOp::create(code.b, code.loc, TypeRange(type), condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(code.b);
    code.b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(code.b, code.loc, emit());
    code.b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(code.b, code.loc, LLVM::ZeroOp::create(code.b, code.loc, type).getResult());
    return branch.getResult(0);
  }
};

} // namespace

void populateTileGlobal(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertStoreGlobal, ConvertLoadGlobal>(types, patterns.getContext());
}

} // namespace weft
