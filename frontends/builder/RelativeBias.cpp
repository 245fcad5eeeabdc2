// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Distances → buckets by comparisons of integers → rows of a table. Logarithms are taken here and not in the program,
// where they could round to another bucket.
#include "frontends/builder/RelativeBias.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <cmath>

using namespace mlir;

namespace weft {
namespace {

/// Distances of one direction that have a bucket each.
int64_t exactOf(const RelativeBuckets &buckets) { return buckets.count / 4; }

/// The distances at which the buckets after the exact ones but for the first begin, rounded as the library does.
std::vector<int64_t> boundsOf(const RelativeBuckets &buckets) {
  int64_t exact = exactOf(buckets), growing = buckets.count / 2 - exact;
  auto exactly = static_cast<float>(exact);
  float range = std::log(static_cast<float>(buckets.longest) / exactly);
  std::vector<int64_t> bounds;
  for (int64_t distance = exact; distance <= buckets.longest; ++distance) {
    float place = std::log(static_cast<float>(distance) / exactly) / range * static_cast<float>(growing);
    int64_t bucket = std::min(static_cast<int64_t>(place), growing - 1);
    while (static_cast<int64_t>(bounds.size()) < bucket)
      bounds.push_back(distance);
  }
  return bounds;
}

/// The bucket of a key at distance `ahead` (i64, negative: behind the query).
Value bucketOf(OpBuilder &b, Location l, const RelativeBuckets &buckets, Value ahead) {
  auto constant = [&](int64_t value) -> Value { return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(value)); };
  auto add = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, l, x, y); };
  auto atLeast = [&](Value x, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::sge, x, constant(bound));
  };
  Value zero = constant(0);
  Value behind = arith::SubIOp::create(b, l, zero, ahead);
  Value distance = arith::MaxSIOp::create(b, l, ahead, behind);
  Value far = constant(exactOf(buckets));
  for (int64_t bound : boundsOf(buckets))
    far = add(far, arith::ExtUIOp::create(b, l, b.getI64Type(), atLeast(distance, bound)));
  Value bucket = arith::SelectOp::create(b, l, atLeast(distance, exactOf(buckets)), far, distance);
  Value half = arith::SelectOp::create(b, l, atLeast(ahead, 1), constant(buckets.count / 2), zero);
  return add(bucket, half);
}

} // namespace

Value buildRelativeBias(GraphBuilder &graph, const std::string &name, const RelativeBuckets &buckets, int64_t heads) {
  GraphBuilder::Scope scope(graph, name);
  OpBuilder &ops = graph.ops();
  OpFoldResult sequence = graph.dim("sequence");
  Value places = graph.map({sequence, sequence}, ops.getI64Type(), {}, {}, [&](OpBuilder &b, Location l, ValueRange) {
    Value i = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 0));
    Value j = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 1));
    return bucketOf(b, l, buckets, arith::SubIOp::create(b, l, j, i));
  });
  Value table = graph.parameter(name + ".weight", {buckets.count, heads});
  Value rows = graph.splitLeading(graph.embedding(graph.mergeLeading(places), table), sequence, sequence);
  return graph.map({ops.getIndexAttr(heads), sequence, sequence}, ops.getF32Type(), {rows},
                   {graph.dimsMap(3, {1, 2, 0})}, [](OpBuilder &, Location, ValueRange s) { return s[0]; });
}

} // namespace weft
