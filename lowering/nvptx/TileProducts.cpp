// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tile.mma and loads of its factors → mma.sync and ldmatrix. For each step along K: the left factor's tiles, then a
// pair of the right one's at a time with all products that need it, so that few words are alive at once.
#include "lowering/nvptx/OperandTiles.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

/// The factor as a fragment, which it is or would be.
FragmentType inRegisters(Type factor, StringRef side, bool transposed, AccumulatorAttr sum) {
  if (auto fragment = dyn_cast<FragmentType>(factor))
    return fragment;
  auto buffer = cast<BufferType>(factor);
  SmallVector<int64_t> shape{buffer.getRows(), buffer.getColumns()};
  if (transposed)
    std::swap(shape[0], shape[1]);
  auto layout = OperandAttr::get(sum.getContext(), side, sum.getRows(), sum.getColumns());
  return FragmentType::get(sum.getContext(), shape, buffer.getElement(), layout);
}

struct ConvertLoad : TilePattern<LoadOp> {
  using TilePattern::TilePattern;

  void rewrite(LoadOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    FragmentType fragment = op.getFragment().getType();
    SmallVector<Value> registers = isa<OperandAttr>(fragment.getLayout())
                                       ? operand(op, adaptor.getBuffer(), code)
                                       : elements(op, adaptor.getBuffer().front(), code);
    rewriter.replaceOpWithMultiple(op, {registers});
  }

  SmallVector<Value> operand(LoadOp op, ValueRange buffer, ThreadCode &code) const {
    FragmentType fragment = op.getFragment().getType();
    OperandTiles tiles(code, fragment, op.getBuffer().getType(), op.getTransposed(), buffer);
    bool left = cast<OperandAttr>(fragment.getLayout()).getSide() == "a";
    int64_t words = left ? 4 : 2;
    SmallVector<Value> registers(FragmentLayout(fragment).registers());
    for (int64_t k = 0; k < tiles.stepsOfK(); ++k)
      for (int64_t outer = 0; outer < tiles.outerTiles(); outer += tiles.tilesAtOnce(outer)) {
        int64_t tile = left ? outer * tiles.stepsOfK() + k : k * tiles.outerTiles() + outer;
        llvm::copy(tiles.words(outer, k), registers.begin() + tile * words);
      }
    if (fragment.getElement().isF32()) // registers of 32-bit elements have their type
      for (Value &word : registers)
        word = LLVM::BitcastOp::create(code.b, code.loc, fragment.getElement(), word);
    return registers;
  }

  /// An accumulator: neighbours in a row at once, a register of packed numbers or two of 32 bits.
  SmallVector<Value> elements(LoadOp op, Value buffer, ThreadCode &code) const {
    FragmentType fragment = op.getFragment().getType();
    BufferType type = op.getBuffer().getType();
    FragmentLayout layout(fragment);
    BufferAddress address(code, type, buffer, layout.columnsOfWarp());
    ThreadPlace mine = ThreadPlace::of(code, fragment);
    Value byte = code.times(mine.column, type.elementBytes());
    bool packed = layout.elementsPerRegister() == 2;
    Type pair = packed ? Type(code.b.getI32Type()) : VectorType::get(2, fragment.getElement());
    SmallVector<Value> registers;
    for (int64_t index = 0; index < layout.elementsPerLane(); index += 2) {
      Place place = layout.placeOfElement(index);
      Value at = address.of(mine.row, byte, {place.row, place.column * type.elementBytes()});
      Value both = LLVM::LoadOp::create(code.b, code.loc, pair, at, 2 * type.elementBytes());
      if (packed) {
        registers.push_back(both);
        continue;
      }
      for (int64_t half = 0; half < 2; ++half)
        registers.push_back(LLVM::ExtractElementOp::create(code.b, code.loc, both, code.constant(half)));
    }
    return registers;
  }
};

/// The instruction for a type of numbers.
struct Instruction {
  NVVM::MMATypes type;
  int64_t k;

  explicit Instruction(Type element) {
    if (element.isBF16())
      type = NVVM::MMATypes::bf16, k = 16;
    else if (element.isF16())
      type = NVVM::MMATypes::f16, k = 16;
    else if (element.isF32())
      type = NVVM::MMATypes::tf32, k = 8;
    else
      type = NVVM::MMATypes::s8, k = 32;
  }
};

/// Words of a factor, of f32 also what their tf32 leaves.
struct Words {
  SmallVector<Value> main, rest;

  Words slice(int64_t first, int64_t count) const {
    auto part = [&](const SmallVector<Value> &all) {
      return all.empty() ? SmallVector<Value>() : SmallVector<Value>(ArrayRef(all).slice(first, count));
    };
    return {part(main), part(rest)};
  }
};

class MmaEmitter {
public:
  MmaEmitter(MmaOp op, MmaOp::GenericAdaptor<ArrayRef<ValueRange>> adaptor, ThreadCode &code)
      : code(code), layout(cast<AccumulatorAttr>(op.getSum().getType().getLayout())),
        a(code, inRegisters(op.getA().getType(), "a", op.getATransposed(), layout),
          dyn_cast<BufferType>(op.getA().getType()), op.getATransposed(), adaptor.getA()),
        b(code, inRegisters(op.getB().getType(), "b", op.getBTransposed(), layout),
          dyn_cast<BufferType>(op.getB().getType()), op.getBTransposed(), adaptor.getB()),
        element(inRegisters(op.getA().getType(), "a", op.getATransposed(), layout).getElement()), instruction(element),
        split(op.getSplit()), sums(adaptor.getSum()) {}

  SmallVector<Value> run() {
    for (int64_t k = 0; k < a.stepsOfK(); ++k) {
      SmallVector<Words> left;
      for (int64_t m = 0; m < a.outerTiles(); ++m)
        left.push_back(asFactor(a.words(m, k)));
      for (int64_t n = 0; n < b.outerTiles(); n += b.tilesAtOnce(n)) {
        Words right = asFactor(b.words(n, k));
        for (int64_t m = 0; m < a.outerTiles(); ++m)
          for (int64_t tile = 0; tile < b.tilesAtOnce(n); ++tile)
            multiply(left[m], right.slice(2 * tile, 2), m * b.outerTiles() + n + tile);
      }
    }
    return std::move(sums);
  }

private:
  static constexpr int64_t kSums = 4; // of a 16 × 8 tile a lane

  ThreadCode &code;
  AccumulatorAttr layout;
  OperandTiles a, b;
  Type element;
  Instruction instruction;
  bool split;
  SmallVector<Value> sums;

  /// mma takes words: of f16, vectors; f32 out of a buffer is a word already, and out of a fragment becomes one.
  Words asFactor(SmallVector<Value> words) {
    Words factor;
    for (Value word : words) {
      Type type = element.isF16() ? Type(VectorType::get(2, element)) : Type(code.b.getI32Type());
      factor.main.push_back(word.getType() == type ? word : cast(type, word));
      if (!split)
        continue;
      Value whole = factor.main.back();
      factor.main.back() = roundedToRead(whole);
      factor.rest.push_back(nearest(restOf(whole, factor.main.back())));
    }
    return factor;
  }

  Value cast(Type type, Value value) { return LLVM::BitcastOp::create(code.b, code.loc, type, value); }

  /// The nearest number with the 10 bits of the fraction that mma reads of f32. What is not a number stays so.
  Value roundedToRead(Value word) {
    Type i32 = code.b.getI32Type(), number = code.b.getF32Type();
    return NVVM::ConvertFloatToTF32Op::create(code.b, code.loc, i32, cast(number, word), NVVM::FPRoundingMode::RNA);
  }

  /// A number that mma cuts to the nearest one; −0 of the NaN that is left of an infinity or a NaN.
  Value nearest(Value word) { return code.add(word, 0x1000); }

  /// What is left of a number; the difference is exact.
  Value restOf(Value word, Value read) {
    Type number = code.b.getF32Type();
    Value rest = arith::SubFOp::create(code.b, code.loc, cast(number, word), cast(number, read));
    return cast(code.b.getI32Type(), rest);
  }

  /// Small products first.
  void multiply(const Words &left, const Words &right, int64_t tile) {
    if (split) {
      multiply(left.rest, right.main, tile);
      multiply(left.main, right.rest, tile);
    }
    multiply(left.main, right.main, tile);
  }

  void multiply(ArrayRef<Value> left, ArrayRef<Value> right, int64_t tile) {
    MutableArrayRef<Value> sum = MutableArrayRef(sums).slice(tile * kSums, kSums);
    SmallVector<Type> types(kSums, sum.front().getType());
    Type result = LLVM::LLVMStructType::getLiteral(code.b.getContext(), types);
    bool integers = instruction.type == NVVM::MMATypes::s8;
    auto overflow = integers ? std::optional(NVVM::MMAIntOverflow::wrapped) : std::nullopt;
    Value next = NVVM::MmaOp::create(code.b, code.loc, result, left, right, sum, {16, 8, instruction.k}, std::nullopt,
                                     overflow, std::array{instruction.type, instruction.type},
                                     std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    llvm::copy(code.unpacked(next), sum.begin());
  }
};

struct ConvertMma : TilePattern<MmaOp> {
  using TilePattern::TilePattern;
  void rewrite(MmaOp op, Adaptor adaptor, ThreadCode &code, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> sums = MmaEmitter(op, adaptor, code).run();
    rewriter.replaceOpWithMultiple(op, {sums});
  }
};

} // namespace

void populateTileProducts(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertLoad, ConvertMma>(types, patterns.getContext());
}

} // namespace weft
