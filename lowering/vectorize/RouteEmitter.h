// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The choice of experts for a token: its scores, keys that order them, the best ones, and their weights.
#ifndef WEFT_LOWERING_VECTORIZE_ROUTEEMITTER_H
#define WEFT_LOWERING_VECTORIZE_ROUTEEMITTER_H

#include "dialects/weft/RoutingOps.h"
#include "lowering/analysis/RegisterPlan.h"
#include "lowering/vectorize/IndexLoops.h"

namespace weft {

class RouteEmitter : IndexLoops {
public:
  RouteEmitter(RouteOp op, const RegisterPlan &registers);

  /// Replaces the op, which is on memrefs.
  void emit();

private:
  using Value = mlir::Value;
  using OpBuilder = mlir::OpBuilder;
  /// One vector of a row: `place` of its first element, the lanes that there are (null: all).
  using VectorBody = llvm::function_ref<void(OpBuilder &, Value place, Value mask)>;
  using SumBody = llvm::function_ref<Value(OpBuilder &, Value place, Value mask, Value sum)>;

  mlir::VectorType vectorOf(mlir::Type element) const;
  Value number(OpBuilder &builder, double value);
  Value integer(OpBuilder &builder, int64_t value);
  Value splat(OpBuilder &builder, Value scalar);
  /// Elements of row `row` of a matrix, or of a vector where `row` is null; lanes that are not there hold `padding`.
  Value load(OpBuilder &builder, Value memref, Value row, Value place, Value mask, double padding = 0);
  void store(OpBuilder &builder, Value vector, Value memref, Value row, Value place, Value mask);
  /// The vectors of [begin, end).
  void overVectors(OpBuilder &builder, Value begin, Value end, VectorBody body);
  Value fold(OpBuilder &builder, Value begin, Value end, Value start, SumBody body);

  // --- a token ------------------------------------------------------------------------------------------------

  void emitToken(OpBuilder &builder, Value token);
  /// Scores of the row `token` into `to` [e] or the row `token` of it: their softmax.
  void emitSoftmax(OpBuilder &builder, Value from, Value to, Value token, Value count);
  void emitScoring(OpBuilder &builder, Value token);
  void emitGroups(OpBuilder &builder, Value token);
  void emitWeights(OpBuilder &builder, Value token);
  /// PhiMoE's weight of the choice with this key and score.
  Value emitMixerWeight(OpBuilder &builder, Value token, Value key, Value score);

  // --- order --------------------------------------------------------------------------------------------------

  /// What experts are chosen by, at a vector of places.
  Value choiceAt(OpBuilder &builder, Value token, Value place, Value mask);
  /// What the token's expert at one place is weighed by.
  Value scoreAt(OpBuilder &builder, Value token, Value place);
  /// The keys of numbers at places from `place` on, i64; of lanes that are not there, the least.
  Value keysOf(OpBuilder &builder, Value numbers, Value place, Value mask);
  /// The largest key below `last` of the choices in [begin, end).
  Value bestOf(OpBuilder &builder, Value token, Value begin, Value end, Value last);
  /// The same among all experts, or those of the chosen groups.
  Value bestBelow(OpBuilder &builder, Value token, Value last);
  /// The place that a key is of, at most `count` − 1.
  Value placeOf(OpBuilder &builder, Value key, Value count);

  RouteOp op;
  const RegisterPlan &registers;
  Value experts, choices; ///< their numbers
  Value scored;           ///< [e], the token's scores after scoring; null: the op's are taken as they are
  Value groupNumbers;     ///< [groups], what groups are chosen by; null: there are none
  Value isChosen;         ///< [groups], i32: whether the group is chosen
};

} // namespace weft

#endif // WEFT_LOWERING_VECTORIZE_ROUTEEMITTER_H
