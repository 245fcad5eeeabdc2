// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MPNet (Song et al. 2020, arXiv:2004.09297): BERT with RoBERTa's positions and, added to all scores, a bias for each
// head that depends on the distance between query and key (T5's buckets, Raffel et al. 2020, arXiv:1910.10683).
#include "frontends/hf/arch/PostNorm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace weft {
namespace {

constexpr PostNormNames kNames = {"attention.attn.q",    "attention.attn.k",   "attention.attn.v", "attention.attn.o",
                                  "attention.LayerNorm", "intermediate.dense", "output.dense",     "output.LayerNorm"};

/// The pad token that positions count from is fixed in the library, whatever the file says.
constexpr int64_t kPadId = 1;

/// 16 buckets each way: distances 0 to 7 have one each; beyond, distance n lies in 8 + ⌊8 · log(n / 8) / log(16)⌋, at
/// most 15. That is 8 plus the number of these bounds, 8 · 16^(k / 8) rounded up for k = 1 … 7, that n has reached.
constexpr int64_t kBuckets = 32;
constexpr int64_t kExact = 8;
constexpr int64_t kBounds[] = {12, 16, 23, 32, 46, 64, 91};

/// The bucket of a key at distance `ahead` (i64, negative: behind the query).
Value bucketOf(OpBuilder &b, Location l, Value ahead) {
  auto constant = [&](int64_t value) -> Value { return arith::ConstantOp::create(b, l, b.getI64IntegerAttr(value)); };
  auto add = [&](Value x, Value y) -> Value { return arith::AddIOp::create(b, l, x, y); };
  auto atLeast = [&](Value x, int64_t bound) -> Value {
    return arith::CmpIOp::create(b, l, arith::CmpIPredicate::sge, x, constant(bound));
  };
  Value zero = constant(0);
  Value behind = arith::SubIOp::create(b, l, zero, ahead);
  Value distance = arith::MaxSIOp::create(b, l, ahead, behind);
  Value far = constant(kExact);
  for (int64_t bound : kBounds)
    far = add(far, arith::ExtUIOp::create(b, l, b.getI64Type(), atLeast(distance, bound)));
  Value bucket = arith::SelectOp::create(b, l, atLeast(distance, kExact), far, distance);
  Value half = arith::SelectOp::create(b, l, atLeast(ahead, 1), constant(kBuckets / 2), zero);
  return add(bucket, half);
}

/// table[bucket(j − i), h]: [heads, i, j].
Value relativeBias(GraphBuilder &graph, const PostNormSizes &sizes) {
  const char *name = "encoder.relative_attention_bias";
  GraphBuilder::Scope scope(graph, name);
  OpBuilder &ops = graph.ops();
  OpFoldResult sequence = graph.dim("sequence"), heads = ops.getIndexAttr(sizes.heads);
  Value buckets = graph.map({sequence, sequence}, ops.getI64Type(), {}, {}, [](OpBuilder &b, Location l, ValueRange) {
    Value i = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 0));
    Value j = arith::IndexCastOp::create(b, l, b.getI64Type(), linalg::IndexOp::create(b, l, 1));
    return bucketOf(b, l, arith::SubIOp::create(b, l, j, i));
  });
  Value table = graph.parameter(std::string(name) + ".weight", {kBuckets, sizes.heads});
  Value rows = graph.splitLeading(graph.embedding(graph.mergeLeading(buckets), table), sequence, sequence);
  return graph.map({heads, sequence, sequence}, ops.getF32Type(), {rows}, {graph.dimsMap(3, {1, 2, 0})},
                   [](OpBuilder &, Location, ValueRange s) { return s[0]; });
}

Value encode(GraphBuilder &graph, const PostNormSizes &sizes) {
  Value x = buildEmbeddings(graph, sizes, kPadId);
  Value bias = relativeBias(graph, sizes);
  for (int64_t layer = 0; layer < sizes.layers && !graph.failed(); ++layer)
    x = buildPostNormLayer(graph, sizes, kNames, "encoder.layer." + std::to_string(layer), x, bias);
  return x;
}

} // namespace

EncoderModel readMPNet(Config &config) {
  PostNormSizes defaults;
  defaults.vocabulary = 30527;
  defaults.tokenTypes = 0;
  PostNormSizes sizes = readPostNormSizes(config, defaults);
  config.integer({"relative_attention_num_buckets"}, kBuckets, kBuckets, kBuckets);
  if (sizes.positions < kPadId + 2)
    config.refuse("W0207", "max_position_embeddings leaves no position, because the first is number 2",
                  "correct max_position_embeddings");
  EncoderModel model;
  model.vocabulary = sizes.vocabulary;
  model.maxTokens = sizes.positions - kPadId - 1;
  model.hidden = sizes.hidden;
  model.encode = [=](GraphBuilder &graph) { return encode(graph, sizes); };
  model.heads.wordEmbeddings = "embeddings.word_embeddings.weight";
  nameRobertaHeads(model, sizes);
  return model;
}

} // namespace weft
