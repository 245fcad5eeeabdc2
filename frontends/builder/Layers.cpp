// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of the builder: products, normalisation, embedding, activation.
#include "frontends/builder/GraphBuilder.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {

static int64_t lastExtent(Value x) { return cast<RankedTensorType>(x.getType()).getShape().back(); }

Value GraphBuilder::project(Value x, Value weight, bool inByOut) {
  Sizes result{sizes(x)[0], sizes(weight)[inByOut ? 1 : 0]};
  Value init = fill(result, builder.getF32FloatAttr(0.0f));
  llvm::SmallVector<AffineMap> maps{dimsMap(3, {0, 2}), inByOut ? dimsMap(3, {2, 1}) : dimsMap(3, {1, 2}),
                                    dimsMap(3, {0, 1})};
  auto indexingMaps = builder.getNamedAttr("indexing_maps", builder.getAffineMapArrayAttr(maps));
  auto product = linalg::MatmulOp::create(builder, location, TypeRange{init.getType()}, ValueRange{x, weight},
                                          ValueRange{init}, llvm::ArrayRef<NamedAttribute>{indexingMaps});
  return known(product.getResult(0), result);
}

Value GraphBuilder::projectBlocks(Value x, Value weight, bool transposed) {
  Sizes parts(sizes(weight)); // [blocks, k, n]
  if (transposed)
    std::swap(parts[1], parts[2]);
  Value left = splitLast(x, cast<RankedTensorType>(weight.getType()).getDimSize(0));
  Value init = fill({sizes(x)[0], parts[0], parts[2]}, builder.getF32FloatAttr(0.0f));
  // (m, g, n, k)
  llvm::SmallVector<AffineMap> maps{dimsMap(4, {0, 1, 3}), transposed ? dimsMap(4, {1, 2, 3}) : dimsMap(4, {1, 3, 2}),
                                    dimsMap(4, {0, 1, 2})};
  auto product = linalg::ContractOp::create(builder, location, TypeRange{init.getType()}, ValueRange{left, weight},
                                            ValueRange{init}, builder.getAffineMapArrayAttr(maps));
  return mergeLast(known(product.getResult(0), Sizes(sizes(init))));
}

Value GraphBuilder::addRow(Value x, Value vector) {
  return map(sizes(x), builder.getF32Type(), {x, vector}, {dimsMap(2, {0, 1}), dimsMap(2, {1})},
             [](OpBuilder &b, Location l, ValueRange s) -> Value { return arith::AddFOp::create(b, l, s[0], s[1]); });
}

Value GraphBuilder::linearInByOut(Value x, llvm::StringRef name, int64_t out, bool hasBias) {
  Scope scope(*this, name);
  Value product = project(x, parameter(name.str() + ".weight", {lastExtent(x), out}), /*inByOut=*/true);
  return hasBias ? addRow(product, parameter(name.str() + ".bias", {out})) : product;
}

Value GraphBuilder::linear(Value x, llvm::StringRef name, int64_t out, bool hasBias) {
  Scope scope(*this, name);
  Value product = project(x, parameter(name.str() + ".weight", {out, lastExtent(x)}));
  return hasBias ? addRow(product, parameter(name.str() + ".bias", {out})) : product;
}

Value GraphBuilder::layerNorm(Value x, llvm::StringRef name, double epsilon, bool hasBias) {
  std::optional<Scope> scope;
  if (!name.empty())
    scope.emplace(*this, name);
  Value scale = name.empty() ? fill({builder.getIndexAttr(lastExtent(x))}, builder.getF32FloatAttr(1.0f))
                             : parameter(name.str() + ".weight", {lastExtent(x)});
  Value bias = hasBias && !name.empty() ? parameter(name.str() + ".bias", {lastExtent(x)}) : Value();
  return layerNorm(x, scale, bias, epsilon);
}

Value GraphBuilder::layerNormFromOne(Value x, llvm::StringRef name, double epsilon) {
  Scope scope(*this, name);
  Value scale = onePlus(parameter(name.str() + ".weight", {lastExtent(x)}));
  return layerNorm(x, scale, parameter(name.str() + ".bias", {lastExtent(x)}), epsilon);
}

Value GraphBuilder::layerNorm(Value x, Value scale, Value bias, double epsilon) {
  Sizes result(sizes(x));
  Value init = empty(result, builder.getF32Type());
  auto norm = LayerNormOp::create(builder, location, TypeRange{init.getType()}, x, scale, bias, init,
                                  builder.getF32FloatAttr(static_cast<float>(epsilon)));
  return known(norm.getResult(), result);
}

Value GraphBuilder::rmsNorm(Value x, llvm::StringRef name, double epsilon) {
  std::optional<Scope> scope;
  if (!name.empty())
    scope.emplace(*this, name);
  return rmsNorm(x, name.empty() ? Value() : parameter(name.str() + ".weight", {lastExtent(x)}), epsilon);
}

Value GraphBuilder::rmsNormFromOne(Value x, llvm::StringRef name, double epsilon) {
  Scope scope(*this, name);
  return rmsNorm(x, onePlus(parameter(name.str() + ".weight", {lastExtent(x)})), epsilon);
}

Value GraphBuilder::onePlus(Value x) {
  return map({x}, [](OpBuilder &b, Location l, ValueRange s) -> Value {
    return arith::AddFOp::create(b, l, arith::ConstantOp::create(b, l, b.getF32FloatAttr(1.0f)), s[0]);
  });
}

Value GraphBuilder::rmsNorm(Value x, Value scale, double epsilon) {
  Sizes result(sizes(x));
  Value init = empty(result, builder.getF32Type());
  auto norm = RmsNormOp::create(builder, location, TypeRange{init.getType()}, x, scale, init,
                                builder.getF32FloatAttr(static_cast<float>(epsilon)));
  return known(norm.getResult(), result);
}

Value GraphBuilder::l2Norm(Value x, double epsilon, double scale) {
  // √n · l2 norm of x is its root mean square norm, with epsilon / n.
  double n = static_cast<double>(lastExtent(x));
  return map({rmsNorm(x, "", epsilon / n)}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    auto factor = b.getF32FloatAttr(static_cast<float>(scale / std::sqrt(n)));
    return arith::MulFOp::create(b, l, s[0], arith::ConstantOp::create(b, l, factor));
  });
}

Value GraphBuilder::embedding(Value ids, Value table) {
  Sizes result{sizes(ids)[0], sizes(table)[1]};
  Value init = empty(result, builder.getF32Type());
  auto rows = EmbeddingOp::create(builder, location, TypeRange{init.getType()}, ids, table, init);
  return known(rows.getResult(), result);
}

Value GraphBuilder::activate(Value x, Activation kind) {
  if (kind == Activation::Identity)
    return x;
  return map({x}, [&](OpBuilder &b, Location l, ValueRange s) { return buildActivation(b, l, kind, s[0]); });
}

Value GraphBuilder::gated(Value x, Activation kind) {
  int64_t half = lastExtent(x) / 2;
  Value activated = lastSlice(x, 0, half), gate = lastSlice(x, half, half);
  return map({activated, gate}, [&](OpBuilder &b, Location l, ValueRange s) -> Value {
    return arith::MulFOp::create(b, l, buildActivation(b, l, kind, s[0]), s[1]);
  });
}

Value GraphBuilder::add(Value a, Value b) {
  return map({a, b}, [](OpBuilder &nested, Location l, ValueRange s) -> Value {
    return arith::AddFOp::create(nested, l, s[0], s[1]);
  });
}

} // namespace weft
