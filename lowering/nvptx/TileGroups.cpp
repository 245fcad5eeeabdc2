// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// tile.warp_group_mma, tile.wait_products, tile.wait_earlier → wgmma. Two rules keep the instructions asynchronous in
// the machine code: a group (fence, products, commit) is one piece of assembly with its sums tied to itself, so that no
// compiler puts moves of registers between its products (ptxas C7517, C7519: it would wait after each); and a wait has
// tied to it what it waits for, with the left factor's registers as inputs, so that nothing that uses either moves
// before it.
#include "lowering/nvptx/TileLowering.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace weft::tile;

namespace weft {
namespace {

constexpr int64_t kStepOfK = 16; // of one product: 32 bytes of 16-bit numbers

/// "$3, $4, …".
std::string names(int64_t first, int64_t count) {
  return llvm::join(llvm::map_range(llvm::seq(first, first + count), [](int64_t i) { return "$" + std::to_string(i); }),
                    ", ");
}

/// `count` times `letter`; with `first`, ties to operands from there on instead.
void constrain(SmallVectorImpl<std::string> &constraints, int64_t count, StringRef letter,
               std::optional<int64_t> first = std::nullopt) {
  for (int64_t i = 0; i < count; ++i)
    constraints.push_back(first ? std::to_string(*first + i) : letter.str());
}

/// How wgmma finds a matrix in shared memory: PTX ISA, "Matrix descriptor". All in units of 16 bytes.
class Descriptor {
public:
  /// `alongRows`: rows of the buffer go along M or N and K lies in a row; else K goes down the rows.
  Descriptor(BufferType type, bool alongRows) : type(type), alongRows(alongRows) {}

  Value of(ThreadCode &code, Value pointer) const {
    OpBuilder &b = code.b;
    Value start = code.modulo(code.over(code.addressOf(pointer), 16), 1 << 14);
    Value wide = arith::ExtUIOp::create(b, code.loc, b.getI64Type(), start);
    Value rest = arith::ConstantIntOp::create(b, code.loc, constantPart(), 64);
    return arith::OrIOp::create(b, code.loc, wide, rest);
  }

  /// What is added for step `k` of a group.
  int64_t advance(int64_t k) const {
    if (!alongRows)
      return k * kStepOfK * type.rowBytes() / 16;
    int64_t byte = k * kStepOfK * type.elementBytes();
    return (byte / type.rowBytes() * type.panelBytes() + byte % type.rowBytes()) / 16;
  }

private:
  BufferType type;
  bool alongRows;

  /// Bits 16 to 29: bytes from panel to panel, where K goes down the rows (else it is not read, and by convention 1);
  /// 32 to 45: bytes of eight rows; 62, 63: the swizzle, 1 of 128, 2 of 64, 3 of 32 bytes.
  int64_t constantPart() const {
    uint64_t leading = alongRows ? 1 : type.panelBytes() / 16, stride = 8 * type.rowBytes() / 16;
    uint64_t mode = type.getSwizzle() == 128 ? 1 : type.getSwizzle() == 64 ? 2 : 3;
    return static_cast<int64_t>((leading & 0x3fff) << 16 | (stride & 0x3fff) << 32 | mode << 62);
  }
};

/// One group as assembly: outputs are the sums; inputs the left factor, the right factor's descriptor and the sums so
/// far.
class GroupEmitter {
public:
  GroupEmitter(WarpGroupMmaOp op, WarpGroupMmaOp::GenericAdaptor<ArrayRef<ValueRange>> adaptor, ThreadCode &code)
      : op(op), adaptor(adaptor), code(code), sums(FragmentLayout(op.getResult().getType().getFragment()).registers()),
        left(dyn_cast<BufferType>(op.getA().getType()), true), right(op.getB().getType(), op.getBTransposed()) {}

  SmallVector<Value> run() {
    bool continues = !adaptor.getSum().empty();
    constrain(constraints, sums, continues ? "=f" : "=&f");
    addInputs();
    if (continues) {
      constrain(constraints, sums, "", 0);
      llvm::append_range(operands, adaptor.getSum());
    }
    std::string text =
        "{ .reg .pred more, none; .reg .b64 left, right; setp.ne.b32 more, 1, 0; setp.ne.b32 none, 0, 0; "
        "wgmma.fence.sync.aligned; ";
    int64_t depth = op.getBTransposed() ? op.getB().getType().getColumns() : op.getB().getType().getRows();
    for (int64_t k = 0; k < depth / kStepOfK; ++k)
      text += product(k, /*adds=*/continues || k > 0);
    text += "wgmma.commit_group.sync.aligned; }";
    SmallVector<Type> types(sums, code.b.getF32Type());
    return code.assembly(text, llvm::join(constraints, ","), operands, types);
  }

private:
  WarpGroupMmaOp op;
  WarpGroupMmaOp::GenericAdaptor<ArrayRef<ValueRange>> adaptor;
  ThreadCode &code;
  int64_t sums;
  Descriptor left, right;
  SmallVector<std::string> constraints;
  SmallVector<Value> operands;
  int64_t leftAt = 0, rightAt = 0;

  bool leftInRegisters() { return isa<FragmentType>(op.getA().getType()); }

  void addInputs() {
    leftAt = sums;
    ValueRange a = adaptor.getA();
    if (leftInRegisters()) {
      constrain(constraints, a.size(), "r");
      llvm::append_range(operands, a);
    } else {
      constrain(constraints, 1, "l");
      operands.push_back(left.of(code, a.front()));
    }
    rightAt = sums + operands.size();
    constrain(constraints, 1, "l");
    operands.push_back(right.of(code, adaptor.getB().front()));
  }

  /// Step k: addresses are advanced in registers of the block, so that one descriptor stays alive for all steps.
  std::string product(int64_t k, bool adds) {
    Type element = op.getB().getType().getElement();
    std::string kind = element.isBF16() ? "bf16" : "f16", text, a;
    int64_t n = op.getResult().getType().getFragment().getShape()[1];
    if (leftInRegisters())
      a = "{" + names(leftAt + 4 * k, 4) + "}";
    else
      a = advanced("left", leftAt, left.advance(k), text);
    std::string b = advanced("right", rightAt, right.advance(k), text);
    text += llvm::formatv("wgmma.mma_async.sync.aligned.m64n{0}k16.f32.{1}.{1} {{{2}}, {3}, {4}, {5}, 1, 1{6}, {7}; ",
                          n, kind, names(0, sums), a, b, adds ? "more" : "none", leftInRegisters() ? "" : ", 0",
                          op.getBTransposed() ? 0 : 1);
    return text;
  }

  std::string advanced(const char *name, int64_t operand, int64_t by, std::string &text) const {
    if (by == 0)
      return "$" + std::to_string(operand);
    text += llvm::formatv("add.s64 {0}, ${1}, {2}; ", name, operand, by);
    return name;
  }
};

struct ConvertWarpGroupMma : TilePattern<WarpGroupMmaOp> {
  using TilePattern::TilePattern;
  void rewrite(WarpGroupMmaOp op, Adaptor adaptor, ThreadCode &code,
               ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> sums = GroupEmitter(op, adaptor, code).run();
    rewriter.replaceOpWithMultiple(op, {sums});
  }
};

template <typename OpType> struct ConvertWait : TilePattern<OpType> {
  using TilePattern<OpType>::TilePattern;
  void rewrite(OpType op, typename TilePattern<OpType>::Adaptor adaptor, ThreadCode &code,
               ConversionPatternRewriter &rewriter) const override {
    ValueRange product = adaptor.getProduct();
    SmallVector<Value> operands;
    for (ValueRange held : adaptor.getHeld())
      llvm::append_range(operands, held);
    SmallVector<std::string> constraints;
    constrain(constraints, product.size(), "=f");
    constrain(constraints, operands.size(), "r");
    constrain(constraints, product.size(), "", 0);
    llvm::append_range(operands, product);
    std::string text = llvm::formatv("wgmma.wait_group.sync.aligned {0};", op.getPending());
    SmallVector<Type> types(product.size(), code.b.getF32Type());
    SmallVector<Value> values = code.assembly(text, llvm::join(constraints, ","), operands, types);
    rewriter.replaceOpWithMultiple(op, {values});
  }
};

} // namespace

void populateTileGroups(const TileTypes &types, RewritePatternSet &patterns) {
  patterns.add<ConvertWarpGroupMma, ConvertWait<WaitProductsOp>, ConvertWait<WaitEarlierOp>>(types,
                                                                                             patterns.getContext());
}

} // namespace weft
