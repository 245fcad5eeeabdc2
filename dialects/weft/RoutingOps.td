// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mixture of experts: which experts a token goes to, tokens sorted by expert, products of ragged groups, and the sum of
// what a token's experts made of it.
#ifndef WEFT_DIALECTS_WEFT_ROUTINGOPS_TD
#define WEFT_DIALECTS_WEFT_ROUTINGOPS_TD

include "dialects/weft/OpBase.td"

def Weft_RouteOp : Weft_StructuredOp<"route"> {
  let summary = "The k best experts of each token, and their weights";
  let description = [{
    With s[t, e] = scoring(scores[t, :])[e], the `scores` themselves, or their softmax or sigmoid:

      experts[t, j] = the e of the j-th largest s[t, e] + bias[e]
      weights[t, j] = scale · normalize(s[t, experts[t, :]])[j]

    Of equal numbers the lowest index comes first, −0 equals 0, and a NaN is larger than all numbers. The bias chooses and
    does not weigh (DeepSeek-V3, arXiv:2412.19437).

    With `groups` only the experts of the `top_groups` best of these groups of neighbours are chosen from; a group's rank
    is the sum of its `group_rank` largest numbers (1: DeepSeek-V2, arXiv:2405.04434; 2: DeepSeek-V3).

    `normalize` is "none"; "sum", divided by the sum of the k; "softmax" over the k; or "sparsemixer": the j-th weight is
    the softmax among the experts that are not chosen before and whose score is not below the j-th's by more than
    2 · `jitter` of the larger magnitude (PhiMoE, arXiv:2409.12136).

    Experts that choose tokens (arXiv:2202.09368) are a route of the transposed scores.

    Example: Mixtral's two of eight
    ```mlir
    %experts, %weights = weft.route {scoring = "softmax", normalize = "sum"} ins(%scores : tensor<?x8xf32>)
        outs(%e, %w : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "scores, [t, e]">:$scores,
    Arg<Optional<Weft_Shaped>, "what is added to choose, [e]">:$bias,
    Arg<Weft_Shaped, "destination of the experts, best first, [t, k]">:$experts,
    Arg<Weft_Shaped, "destination of their weights, [t, k]">:$weights,
    DefaultValuedAttr<StrAttr, "\"none\"">:$scoring,
    DefaultValuedAttr<StrAttr, "\"none\"">:$normalize,
    DefaultValuedAttr<F32Attr, "1.0f">:$scale,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<I64Attr, "1">:$top_groups,
    DefaultValuedAttr<I64Attr, "1">:$group_rank,
    DefaultValuedAttr<F32Attr, "0.0f">:$jitter);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $scores (`,` $bias^)? `:` type($scores) (`,` type($bias)^)? `)`
    `outs` `(` $experts `,` $weights `:` type($experts) `,` type($weights) `)` (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), getBias() ? 2 : 1, 2);
    }
    /// Whether only some groups of experts are chosen from.
    bool hasGroups() { return getGroups() > 1; }
  }];
}

def Weft_DispatchOp : Weft_StructuredOp<"dispatch"> {
  let summary = "Tokens sorted by expert";
  let description = [{
    The entries (t, j), in the order of t and then of j, are sorted by experts[t, j], stably. Those of expert g are the
    rows offsets[g] ≤ i < offsets[g + 1], with tokens[i] = t and sorted[i] = weights[t, j]. An entry whose expert is not
    in [0, g) is dropped, and so is one that comes after `capacity` others of its expert, where there is a capacity. Rows
    from offsets[g] on have the token −1 and the weight 0.

    Example:
    ```mlir
    %tokens, %sorted, %offsets = weft.dispatch ins(%experts, %weights : tensor<?x2xi32>, tensor<?x2xf32>)
        outs(%t, %w, %o : tensor<?xi32>, tensor<?xf32>, tensor<9xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<9xi32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "experts of each token, [t, k]">:$experts,
    Arg<Weft_Shaped, "their weights, [t, k]">:$weights,
    Arg<Weft_Shaped, "destination of the tokens, [t · k]">:$tokens,
    Arg<Weft_Shaped, "destination of their weights, [t · k]">:$sorted,
    Arg<Weft_Shaped, "destination of the groups' first rows and the end, [experts + 1]">:$offsets,
    OptionalAttr<I64Attr>:$capacity);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $experts `,` $weights `:` type($experts) `,` type($weights) `)`
    `outs` `(` $tokens `,` $sorted `,` $offsets `:` type($tokens) `,` type($sorted) `,` type($offsets) `)`
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return ::mlir::MutableOperandRange(getOperation(), 2, 3); }
  }];
}

def Weft_GroupedMatmulOp : Weft_StructuredOp<"grouped_matmul", [AttrSizedOperandSegments], Weft_tilesOfProduct> {
  let summary = "Product of rows with the weight of the group that they are in";
  let description = [{
    out[i, n] = Σ_k lhs[rows[i], k] · rhs[g, n, k] (+ bias[g, n]) for the group g with offsets[g] ≤ i < offsets[g + 1].
    Without `rows`, rows[i] = i. Rows that are in no group hold any values. An offset outside of [0, r] is the nearest
    that is inside, a row outside of lhs is its last one: no index leads out of the operands.

    The weight is [groups, n, k], or packed: each group's panels as those of `weft.packed_matmul`, or of
    `weft.groupwise_matmul` with `bits` and `group`, or of `weft.quantized_matmul` with scales: of each row of lhs and of
    each column of each group's weight. A row's sum runs as in that op: its bits depend on nothing but that row and its
    group's weight and bias.

    Example: the first product of an expert layer, which reads the tokens' rows where they are
    ```mlir
    %h = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>)
         rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "left operand, [t, k]">:$lhs,
    Arg<Weft_Shaped, "weights, [groups, n, k], or packed: [groups, panels, …]">:$rhs,
    Arg<Weft_Shaped, "first row of each group and the end, [groups + 1]">:$offsets,
    Arg<Optional<Weft_Shaped>, "row of lhs for each row of the result, [r]">:$rows,
    Arg<Optional<Weft_Shaped>, "scales of the rows of lhs, [t]">:$lhs_scales,
    Arg<Optional<Weft_Shaped>, "scales of the columns of the weights, [groups, n]">:$rhs_scales,
    Arg<Optional<Weft_Shaped>, "bias, [groups, n]">:$bias,
    Arg<Weft_Shaped, "destination, [r, n]; its values are not read">:$init,
    OptionalAttr<I64Attr>:$bits,
    OptionalAttr<I64Attr>:$group);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $lhs `,` $rhs `,` $offsets `:` type($lhs) `,` type($rhs) `,` type($offsets) `)`
    (`rows` `(` $rows^ `:` type($rows) `)`)?
    (`scales` `(` $lhs_scales^ `,` $rhs_scales `:` type($lhs_scales) `,` type($rhs_scales) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::Value":$lhs, "::mlir::Value":$rhs,
                                 "::mlir::Value":$offsets, "::mlir::Value":$rows, "::mlir::Value":$bias,
                                 "::mlir::Value":$init), [{
    build($_builder, $_state, results, lhs, rhs, offsets, rows, ::mlir::Value(), ::mlir::Value(), bias, init,
          ::mlir::IntegerAttr(), ::mlir::IntegerAttr());
  }]>];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// Whether the weight is in panels.
    bool isPacked() { return getRhs().getType().getRank() == 4; }
    /// How the panels' bytes lie; none: they are numbers.
    std::optional<::weft::GroupForm> getForm() {
      if (!getBits() || !getGroup())
        return std::nullopt;
      return ::weft::GroupForm{static_cast<int64_t>(*getBits()), static_cast<int64_t>(*getGroup())};
    }
    /// Steps of k that lie beside each other for one column of panels of numbers.
    int64_t getStepsPerWord() { return stepsPerWord(getRhs().getType().getElementType()); }
    /// Columns in a panel.
    int64_t getPanelWidth() {
      return getForm() ? kPanelWidth : getRhs().getType().getShape().back() / getStepsPerWord();
    }
  }];
}

def Weft_CombineOp : Weft_StructuredOp<"combine", [Weft_StatefulOpInterface]> {
  let summary = "Adds weighted rows to those of their tokens";
  let description = [{
    out[tokens[i], n] += weights[i] · input[i, n], for one i after the other, to what the destination holds: a residual,
    another expert's output, or zeros. A row whose token is not in [0, t) is not read.

    Example:
    ```mlir
    %y = weft.combine ins(%rows, %tokens, %weights : tensor<?x8xf32>, tensor<?xi32>, tensor<?xf32>)
         outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "rows, [r, n]">:$input,
    Arg<Weft_Shaped, "the token of each, [r]">:$tokens,
    Arg<Weft_Shaped, "the weight of each, [r]">:$weights,
    Arg<Weft_Shaped, "destination, [t, n]; read and written">:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $input `,` $tokens `,` $weights `:` type($input) `,` type($tokens) `,` type($weights) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::MutableOperandRange getStatesMutable() { return getInitMutable(); }
  }];
}

#endif // WEFT_DIALECTS_WEFT_ROUTINGOPS_TD
