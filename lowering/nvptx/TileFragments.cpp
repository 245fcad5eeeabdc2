// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is done to fragments → arithmetic on a lane's numbers; reductions exchange between the four lanes of a row.
#include "lowering/nvptx/TileLowering.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

struct ConvertSplat : TilePattern<SplatOp> {
  using TilePattern::TilePattern;
  void rewrite(SplatOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType fragment = op.getFragment().getType();
    FragmentLayout layout(fragment);
    SmallVector<Value> word(layout.elementsPerRegister(), adaptor.getValue().front());
    Value one = layout.elementsPerRegister() == 1 ? word.front() : packedOnce(code, fragment, word);
    rewriter.replaceOpWithMultiple(op, {SmallVector<Value>(layout.registers(), one)});
  }

  /// One register of equal numbers.
  Value packedOnce(ThreadCode &code, FragmentType fragment, ArrayRef<Value> word) const {
    return registersOf(code, fragment, word).front();
  }
};

struct ConvertCoordinate : TilePattern<CoordinateOp> {
  using TilePattern::TilePattern;
  void rewrite(CoordinateOp op, Adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType fragment = op.getFragment().getType();
    FragmentLayout layout(fragment);
    ThreadPlace mine = ThreadPlace::of(code, fragment);
    SmallVector<Value> elements;
    for (int64_t index = 0; index < layout.elementsPerLane(); ++index) {
      Place place = layout.placeOfElement(index);
      elements.push_back(op.getDimension() == 0 ? code.add(mine.row, place.row) : code.add(mine.column, place.column));
    }
    rewriter.replaceOpWithMultiple(op, {elements});
  }
};

/// For each element of `result` the one of `input` at its place, row or column.
SmallVector<int64_t> correspondence(FragmentType input, FragmentType result) {
  FragmentLayout of(input), in(result);
  bool rows = isa<RowValuesAttr>(input.getLayout()), columns = isa<ColumnValuesAttr>(input.getLayout());
  SmallVector<int64_t> indices;
  for (int64_t index = 0; index < in.elementsPerLane(); ++index) {
    if (input.getLayout() == result.getLayout()) {
      indices.push_back(index);
      continue;
    }
    Place place = in.placeOfElement(index);
    int64_t found = 0;
    while ((rows && of.placeOfElement(found).row != place.row) ||
           (columns && of.placeOfElement(found).column != place.column))
      ++found;
    indices.push_back(found);
  }
  return indices;
}

struct ConvertMap : TilePattern<MapOp> {
  using TilePattern::TilePattern;

  void rewrite(MapOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType result = op.getResult().getType();
    SmallVector<SmallVector<Value>> inputs;
    SmallVector<SmallVector<int64_t>> indices;
    for (auto [input, registers] : llvm::zip_equal(op.getInputs(), adaptor.getInputs())) {
      auto type = cast<FragmentType>(input.getType());
      inputs.push_back(elementsOf(code, type, registers));
      indices.push_back(correspondence(type, result));
    }
    SmallVector<Value> elements;
    for (int64_t index = 0; index < FragmentLayout(result).elementsPerLane(); ++index) {
      IRMapping mapping;
      for (auto [input, argument] : llvm::enumerate(op.getBody().getArguments()))
        mapping.map(argument, inputs[input][indices[input][index]]);
      elements.push_back(element(op, mapping, rewriter));
    }
    rewriter.replaceOpWithMultiple(op, {registersOf(code, result, elements)});
  }

  /// The region for one element.
  Value element(MapOp op, IRMapping &mapping, ConversionPatternRewriter &rewriter) const {
    for (Operation &inner : op.getBody().front().without_terminator())
      rewriter.clone(inner, mapping);
    return mapping.lookupOrDefault(cast<YieldOp>(op.getBody().front().getTerminator()).getValue());
  }
};

Value combined(ThreadCode &code, StringRef kind, Value x, Value y) {
  if (kind == "add")
    return arith::AddFOp::create(code.b, code.loc, x, y);
  return arith::MaxNumFOp::create(code.b, code.loc, x, y);
}

/// A tree, so that the depth is the logarithm of the count.
Value combinedAll(ThreadCode &code, StringRef kind, SmallVector<Value> values) {
  while (values.size() > 1) {
    SmallVector<Value> next;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      next.push_back(combined(code, kind, values[i], values[i + 1]));
    if (values.size() % 2)
      next.push_back(values.back());
    values = std::move(next);
  }
  return values.front();
}

/// Lanes 4 i to 4 i + 3 hold parts of a row.
Value acrossLanes(ThreadCode &code, StringRef kind, Value value) {
  for (int64_t distance : {1, 2}) {
    Value other = NVVM::ShflOp::create(code.b, code.loc, value.getType(), code.constant(-1), value,
                                       code.constant(distance), code.constant(31), NVVM::ShflKind::bfly, UnitAttr());
    value = combined(code, kind, value, other);
  }
  return value;
}

struct ConvertReduce : TilePattern<ReduceOp> {
  using TilePattern::TilePattern;
  void rewrite(ReduceOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType result = op.getResult().getType();
    FragmentLayout in(op.getInput().getType()), out(result);
    bool partial = cast<RowValuesAttr>(result.getLayout()).getPartial();
    SmallVector<Value> rows;
    for (int64_t row = 0; row < out.elementsPerLane(); ++row) {
      SmallVector<Value> values;
      for (int64_t index = 0; index < in.elementsPerLane(); ++index)
        if (in.placeOfElement(index).row == out.placeOfElement(row).row)
          values.push_back(adaptor.getInput()[index]);
      Value sum = combinedAll(code, op.getKind(), values);
      rows.push_back(partial ? sum : acrossLanes(code, op.getKind(), sum));
    }
    rewriter.replaceOpWithMultiple(op, {rows});
  }
};

struct ConvertCombine : TilePattern<CombineOp> {
  using TilePattern::TilePattern;
  void rewrite(CombineOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> rows =
        llvm::map_to_vector(adaptor.getInput(), [&](Value value) { return acrossLanes(code, op.getKind(), value); });
    rewriter.replaceOpWithMultiple(op, {rows});
  }
};

struct ConvertColumns : TilePattern<ColumnsOp> {
  using TilePattern::TilePattern;
  void rewrite(ColumnsOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType whole = op.getWhole().getType(), part = op.getPart().getType();
    SmallVector<Value> all = elementsOf(code, whole, adaptor.getWhole()), elements;
    for (auto [index, element] : llvm::enumerate(all)) {
      int64_t column = FragmentLayout(whole).placeOfElement(index).column - op.getFirst();
      if (column >= 0 && column < part.getShape()[1])
        elements.push_back(element);
    }
    rewriter.replaceOpWithMultiple(op, {registersOf(code, part, elements)});
  }
};

struct ConvertConvert : TilePattern<ConvertOp> {
  using TilePattern::TilePattern;

  void rewrite(ConvertOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType input = op.getInput().getType(), result = op.getResult().getType();
    SmallVector<Value> registers = input.getElement().isF32() ? narrowed(code, adaptor.getInput(), result.getElement())
                                                              : widened(code, input, adaptor.getInput());
    rewriter.replaceOpWithMultiple(op, {registers});
  }

  /// cvt.rn.bf16x2.f32 and its sister take the upper number first.
  SmallVector<Value> narrowed(ThreadCode &code, ValueRange numbers, Type element) const {
    StringRef name = element.isBF16() ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn";
    SmallVector<Value> words;
    for (size_t i = 0; i < numbers.size(); i += 2) {
      Value pair = LLVM::CallIntrinsicOp::create(code.b, code.loc, Type(VectorType::get(2, element)),
                                                 code.b.getStringAttr(name), ValueRange{numbers[i + 1], numbers[i]})
                       .getResult(0);
      words.push_back(LLVM::BitcastOp::create(code.b, code.loc, code.b.getI32Type(), pair));
    }
    return words;
  }

  SmallVector<Value> widened(ThreadCode &code, FragmentType input, ValueRange words) const {
    return llvm::map_to_vector(elementsOf(code, input, words), [&](Value number) -> Value {
      return arith::ExtFOp::create(code.b, code.loc, code.b.getF32Type(), number);
    });
  }
};

/// exp2 that may be approximate is the hardware's, denormals as zero: without the latter each one has a comparison and
/// two products beside it, twice what softmax has to spare.
struct ConvertExp2 : OpConversionPattern<math::Exp2Op> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto name = rewriter.getStringAttr("llvm.nvvm.ex2.approx.ftz.f32");
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(op, op.getType(), name, adaptor.getOperands());
    return success();
  }
};

} // namespace

void populateTileFragments(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertSplat, ConvertCoordinate, ConvertMap, ConvertReduce, ConvertCombine, ConvertColumns,
               ConvertConvert, ConvertExp2>(types, patterns.getContext());
}

} // namespace weft
