// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One kind of attention: the entry as MLIR text, inputs, and what the outputs should be, in float64 and in plain f32.
#ifndef WEFT_TEST_CONFORMANCE_ATTENTIONCASE_H
#define WEFT_TEST_CONFORMANCE_ATTENTIONCASE_H

#include "test/conformance/CompiledModule.h"
#include "test/conformance/Numbers.h"

namespace weft::test {

enum class MaskKind { None, Causal, Window, Chunks, Prefix, Padding, PaddingCausal, Length, Position };
enum class ScoreKind { Same, BiasOfBatch, BiasOfHeads, SoftCap, Alibi };

struct AttentionCase {
  std::string name; ///< of the test, and of the entry
  int64_t heads = 2, keyHeads = 2, headDim = 8, valueDim = 8;
  bool sequenceFirst = true; ///< [b, s, h, d]; else [b, h, s, d]
  MaskKind mask = MaskKind::None;
  ScoreKind score = ScoreKind::Same;
  bool lse = true;
  int64_t queries = 0;                     ///< known when compiling; 0: a dimension of the entry
  ElementType stored = ElementType::F32;   ///< of keys and values; I8 with a factor for each token and head
  ElementType computed = ElementType::F32; ///< of queries and output

  bool rounded = false; ///< products may round their operands to bf16

  float scale() const;
  bool hasPadding() const { return mask == MaskKind::Padding || mask == MaskKind::PaddingCausal; }
  /// So many keys of each item of the batch are seen: a cache longer than what it holds.
  bool hasLength() const { return mask == MaskKind::Length; }
  /// Each query sees the keys up to a position of its own, and of these the last kNear: positions of any value.
  bool hasPositions() const { return mask == MaskKind::Position; }
  bool hasBias() const { return score == ScoreKind::BiasOfBatch || score == ScoreKind::BiasOfHeads; }
  /// The module: entry @attend over the dimensions batch, queries and keys.
  std::string text() const;
};

struct AttentionExtents {
  int64_t batch, queries, keys;
};

/// The array as f32: of f32, bf16, f16 or i8.
Array asFloats(const Array &array);

/// query, key, value, then padding and bias where the case has them, then the factors of 8-bit keys and values.
Arrays makeInputs(const AttentionCase &c, AttentionExtents extents, Numbers &numbers);

/// In the layout of the case.
struct AttentionValues {
  std::vector<double> output, lse;
  std::vector<float> plainOutput, plainLse;
};
AttentionValues expectedOf(const AttentionCase &c, AttentionExtents extents, const Arrays &inputs);

/// Whether a variant of the compiled case multiplies numbers of bf16, or f16.
bool roundsProducts(const AttentionCase &c, const std::string &variant);

/// The shape [batch, sequence, heads, dim] or [batch, heads, sequence, dim].
std::vector<int64_t> layoutOf(const AttentionCase &c, int64_t batch, int64_t sequence, int64_t heads, int64_t dim);

} // namespace weft::test

#endif // WEFT_TEST_CONFORMANCE_ATTENTIONCASE_H
