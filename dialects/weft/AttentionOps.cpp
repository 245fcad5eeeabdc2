// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The constraints of attention (docs/spec.md), and regions that do nothing.
#include "dialects/weft/CastFolding.h"
#include "dialects/weft/StructuredOp.h"
#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace weft;

static constexpr StringLiteral kDimNames = "bhijde";

MutableOperandRange AttentionOp::getDpsInitsMutable() {
  // The last operands: output and, where present, lse.
  unsigned inits = getLse() ? 2 : 1;
  return MutableOperandRange(*this, getNumOperands() - inits, inits);
}

//===----------------------------------------------------------------------===//
// Indexing maps
//===----------------------------------------------------------------------===//

namespace {
/// What an operand's map may and must be made of.
struct MapRule {
  StringRef operand, allowed, required;
};
} // namespace

static MapRule ruleOf(AttentionOp op, unsigned operand) {
  unsigned extras = op.getExtras().size();
  if (operand < 3) {
    MapRule rules[] = {{"query", "bhid", "bhid"}, // attention_c4
                       {"key", "bhjd", "jd"},     // attention_c5
                       {"value", "bhje", "je"}};  // attention_c6
    return rules[operand];
  }
  if (operand < 3 + extras)
    return {"an extra operand", "bhij", ""}; // attention_c7
  if (op.getKeyScale() && operand == op.getKeyScaleNumber())
    return {"key_scale", "bhj", ""}; // attention_c17
  if (op.getValueScale() && operand == op.getValueScaleNumber())
    return {"value_scale", "bhj", ""}; // attention_c17
  if (op.getTable() && operand == op.getTableNumber())
    return {"table", "bj", "b"}; // attention_c21
  if (operand == op.getOutputNumber())
    return {"output", "bhie", "bhie"}; // attention_c8
  return {"lse", "bhi", "bhi"};        // attention_c9
}

/// The group of `h floordiv group`.
static std::optional<int64_t> headGroup(AffineExpr expr) { return divisorOf(expr, AttentionOp::Head); }

/// The length of the splits that an operand's map makes of the keys; 0 for none.
static int64_t splitLengthOf(AffineMap map) {
  for (AffineExpr expr : map.getResults())
    if (std::optional<int64_t> length = divisorOf(expr, AttentionOp::Key))
      return *length;
  return 0;
}

int64_t AttentionOp::getSplitLength() { return splitLengthOf(getIndexingMap(getOutputNumber())); }

int64_t AttentionOp::getPageLength() {
  if (!getTable())
    return 0;
  AffineMap map = getIndexingMap(getTableNumber());
  // j floordiv 1 is j.
  return map.getResultPosition(getAffineDimExpr(Key, getContext())) ? 1 : splitLengthOf(map);
}

bool AttentionOp::isPaged(unsigned operand) {
  bool isFactor = operand >= getKeyScaleNumber() && operand < getTableNumber();
  return getTable() && (operand == 1 || operand == 2 || isFactor);
}

static LogicalResult verifyMap(AttentionOp op, unsigned operand) {
  AffineMap map = op.getIndexingMap(operand);
  auto type = cast<ShapedType>(op->getOperand(operand).getType());
  MapRule rule = ruleOf(op, operand);
  if (map.getNumDims() != AttentionOp::NumDims || map.getNumSymbols() != 0 ||
      int64_t(map.getNumResults()) != type.getRank())
    return op.emitOpError("indexing map of ") << rule.operand << " must map (b, h, i, j, d, e) to " << type.getRank()
                                              << " indices, is " << AffineMapAttr::get(map); // attention_c2
  std::string indexed, plain;
  unsigned splits = 0;
  for (AffineExpr expr : map.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    bool mayBeCut = operand >= (op.getTable() ? op.getTableNumber() : op.getOutputNumber());
    if (mayBeCut && divisorOf(expr, AttentionOp::Key)) {
      ++splits;
      continue;
    }
    if (!dim && !headGroup(expr))
      return op.emitOpError("indexing map of ")
             << rule.operand << " must consist of dimensions and of "
             << "h floordiv a positive group, is " << AffineMapAttr::get(map); // attention_c3
    indexed += dim ? kDimNames[dim.getPosition()] : 'h';
    if (dim)
      plain += indexed.back();
  }
  bool once = splits <= 1 && llvm::all_of(indexed, [&](char dim) {
                return llvm::count(indexed, dim) == 1 && rule.allowed.contains(dim);
              });
  bool complete = llvm::all_of(rule.required, [&](char dim) { return StringRef(plain).contains(dim); });
  if (once && complete)
    return success();
  return op.emitOpError("indexing map of ")
         << rule.operand << " must index once each " << (rule.required.empty() ? "some of " : "all of ")
         << (rule.required.empty() ? rule.allowed : rule.required)
         << (rule.required.size() == rule.allowed.size() ? " and nothing else" : "") << ", is "
         << AffineMapAttr::get(map);
}

/// attention_c21 to attention_c23: what lies in pages, and how long they are.
static LogicalResult verifyTable(AttentionOp op) {
  AffineMap map = op.getIndexingMap(op.getTableNumber());
  int64_t length = op.getPageLength();
  if (!length || map.getResult(0) != getAffineDimExpr(AttentionOp::Batch, op.getContext())) // attention_c21
    return op.emitOpError("table must be indexed by (b, j floordiv a page's keys), is by ") << AffineMapAttr::get(map);
  if (!getElementTypeOrSelf(op.getTable().getType()).isIntOrIndex()) // attention_c22
    return op.emitOpError("table must hold integers, got ") << op.getTable().getType();
  for (unsigned operand : llvm::seq(op->getNumOperands())) {
    if (!op.isPaged(operand))
      continue;
    AffineMap paged = op.getIndexingMap(operand);
    auto placeOf = [&](AttentionOp::Dim dim) {
      return paged.getResultPosition(getAffineDimExpr(dim, op.getContext()));
    };
    std::optional<unsigned> page = placeOf(AttentionOp::Batch), key = placeOf(AttentionOp::Key);
    auto type = cast<ShapedType>(op->getOperand(operand).getType());
    if (!page || !key || type.getDimSize(*key) != length) // attention_c23
      return op.emitOpError() << ruleOf(op, operand).operand << " in pages must be indexed by b and by j, with "
                              << length << " keys in a page, is " << type << " by " << AffineMapAttr::get(paged);
  }
  return success();
}

static LogicalResult verifyMaps(AttentionOp op) {
  if (op.getIndexingMaps().size() != op->getNumOperands())
    return op.emitOpError("needs an indexing map for each of its ")
           << op->getNumOperands() << " operands, has " << op.getIndexingMaps().size(); // attention_c1
  for (unsigned operand : llvm::seq(op->getNumOperands()))
    if (failed(verifyMap(op, operand)))
      return failure();
  if (op.getTable() && failed(verifyTable(op)))
    return failure();
  if (op.getLse() && splitLengthOf(op.getIndexingMap(op.getLseNumber())) != op.getSplitLength())
    return op.emitOpError("output and lse must be indexed by the same splits of the keys"); // attention_c19
  return success();
}

/// Each dimension has one extent; under `h floordiv g` that of the operand is
/// ⌈H / g⌉, since a tile of heads may end within a group; under `j floordiv l` it is ⌈J / l⌉.
static LogicalResult verifyExtents(AttentionOp op) {
  SmallVector<int64_t> extents(AttentionOp::NumDims, ShapedType::kDynamic);
  auto check = [&](unsigned operand, char dim, int64_t wanted, int64_t extent) -> LogicalResult {
    if (extentsAgree(wanted, extent))
      return success();
    return op.emitOpError("dimension ") << dim << " of " << ruleOf(op, operand).operand << " must be " << wanted
                                        << " as in another operand, is " << extent; // attention_c10
  };
  for (bool grouped : {false, true}) // the number of heads, then that of groups
    for (unsigned operand : llvm::seq(op->getNumOperands())) {
      auto type = cast<ShapedType>(op->getOperand(operand).getType());
      for (auto [expr, extent] : llvm::zip_equal(op.getIndexingMap(operand).getResults(), type.getShape())) {
        auto dim = dyn_cast<AffineDimExpr>(expr);
        if (grouped == bool(dim))
          continue;
        if (op.isPaged(operand) && dim &&
            (dim.getPosition() == AttentionOp::Batch || dim.getPosition() == AttentionOp::Key))
          continue; // pages, and the keys of one
        std::optional<int64_t> group = headGroup(expr);
        unsigned position = dim ? dim.getPosition() : group ? AttentionOp::Head : AttentionOp::Key;
        int64_t wanted = extents[position];
        if (grouped && !ShapedType::isDynamic(wanted))
          wanted = llvm::divideCeil(wanted, group ? *group : *divisorOf(expr, AttentionOp::Key));
        if (failed(check(operand, kDimNames[position], wanted, extent)))
          return failure();
        if (dim && !ShapedType::isDynamic(extent))
          extents[position] = extent;
      }
    }
  return success();
}

//===----------------------------------------------------------------------===//
// Element types and regions
//===----------------------------------------------------------------------===//

static LogicalResult verifyElementTypes(AttentionOp op) {
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue(), op.getOutput()}) {
    Type type = cast<ShapedType>(operand.getType()).getElementType();
    bool stored = operand == op.getKey() || operand == op.getValue();
    if (stored && type.isSignlessInteger(8))
      continue;
    if (!isa<FloatType>(type) || type.getIntOrFloatBitWidth() > 32)
      return op.emitOpError("query, key, value and output must hold floats of "
                            "at most 32 bits, or key and value i8, got ")
             << type; // attention_c11
  }
  if (op.getLse() && !op.getLse().getType().getElementType().isF32())
    return op.emitOpError("lse must hold f32, got ") << op.getLse().getType().getElementType(); // attention_c11
  for (Value factor : {op.getKeyScale(), op.getValueScale()})
    if (factor && !getElementTypeOrSelf(factor.getType()).isF32())
      return op.emitOpError("key_scale and value_scale must hold f32, got ")
             << getElementTypeOrSelf(factor.getType()); // attention_c18
  return success();
}

static LogicalResult verifyRegion(AttentionOp op, Region &region, StringRef name, ArrayRef<Type> leading,
                                  Type yielded) {
  if (region.empty())
    return success();
  SmallVector<Type> wanted(leading);
  for (Value extra : op.getExtras())
    wanted.push_back(cast<ShapedType>(extra.getType()).getElementType());
  if (region.getArgumentTypes() != TypeRange(wanted))
    return op.emitOpError() << name << " region must take (" << wanted << "), takes (" << region.getArgumentTypes()
                            << ")";
  Operation *terminator = region.front().empty() ? nullptr : &region.front().back();
  if (!isa_and_present<YieldOp>(terminator) || terminator->getOperandTypes() != TypeRange(yielded))
    return op.emitOpError() << name << " region must yield one " << yielded;
  for (Operation &inner : region.front())
    if (std::optional<SmallVector<MemoryEffects::EffectInstance>> effects = getEffectsRecursively(&inner);
        !effects || llvm::any_of(*effects, [](auto &effect) { return !isa<MemoryEffects::Read>(effect.getEffect()); }))
      return op.emitOpError() << name << " region must not change memory, has " << inner.getName(); // attention_c14
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyMaps(*this)) || failed(verifyExtents(*this)) || failed(verifyElementTypes(*this)))
    return failure();
  Builder builder(getContext());
  Type f32 = builder.getF32Type(), index = builder.getIndexType();
  if (failed(verifyRegion(*this, getScore(), "score", {f32, index, index, index, index}, f32)))
    return failure(); // attention_c12
  if (failed(verifyRegion(*this, getMask(), "mask", {index, index, index, index}, builder.getI1Type())))
    return failure();         // attention_c13
  if (!getScale().isFinite()) // attention_c15
    return emitOpError("scale must be finite");
  if (std::optional<Type> type = getProductType(); type && !type->isBF16()) // attention_c20
    return emitOpError("product_type must be bf16, is ") << *type;
  return verifyStorage(*this); // attention_c16
}

//===----------------------------------------------------------------------===//
// Canonicalisation
//===----------------------------------------------------------------------===//

static Value yieldedValue(Region &region) { return region.front().getTerminator()->getOperand(0); }

/// A score region that yields its first argument, a mask region that yields
/// true: as good as none.
static LogicalResult dropIdleRegions(AttentionOp op, PatternRewriter &rewriter) {
  auto drop = [&](Region &region) {
    rewriter.modifyOpInPlace(op, [&] { region.getBlocks().clear(); });
    return success();
  };
  Region &score = op.getScore(), &mask = op.getMask();
  if (!score.empty() && yieldedValue(score) == score.getArgument(0))
    return drop(score);
  if (!mask.empty() && matchPattern(yieldedValue(mask), m_One()))
    return drop(mask);
  return failure();
}

/// An extra operand that no region looks at goes.
static LogicalResult dropUnusedExtras(AttentionOp op, PatternRewriter &rewriter) {
  Region &score = op.getScore(), &mask = op.getMask();
  // In the regions, the extra operands follow s, b, h, i, j and b, h, i, j.
  for (unsigned extra : llvm::seq(op.getExtras().size())) {
    if (!score.empty() && !score.getArgument(5 + extra).use_empty())
      continue;
    if (!mask.empty() && !mask.getArgument(4 + extra).use_empty())
      continue;
    SmallVector<Attribute> maps(op.getIndexingMaps().getValue());
    maps.erase(maps.begin() + 3 + extra);
    rewriter.modifyOpInPlace(op, [&] {
      op.getExtrasMutable().erase(extra);
      op.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
      if (!score.empty())
        score.eraseArgument(5 + extra);
      if (!mask.empty())
        mask.eraseArgument(4 + extra);
    });
    return success();
  }
  return failure();
}

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) {
  populateCastFolding(patterns, getOperationName());
  patterns.add(dropIdleRegions);
  patterns.add(dropUnusedExtras);
}
