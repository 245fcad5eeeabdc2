// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of a layer around attention: products with packed weights, normalisation, embedding.
#ifndef WEFT_DIALECTS_WEFT_LAYEROPS_TD
#define WEFT_DIALECTS_WEFT_LAYEROPS_TD

include "dialects/weft/OpBase.td"

def Weft_LayerNormOp : Weft_StructuredOp<"layer_norm", [], Weft_tilesOfResult> {
  let summary = "Layer normalisation over the last dimension";
  let description = [{
    out[…, n] = (x[…, n] − mean) / sqrt(variance + epsilon) · scale[n] + bias[n], with mean and (biased) variance
    over the last dimension (Ba, Kiros and Hinton 2016, arXiv:1607.06450).

    Example:
    ```mlir
    %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale, %bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "values, [..., n]">:$input,
    Arg<Weft_Shaped, "scale, [n]">:$scale,
    Arg<Optional<Weft_Shaped>, "bias, [n]">:$bias,
    Arg<Weft_Shaped, "destination, [..., n]">:$init,
    F32Attr:$epsilon);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $input `,` $scale (`,` $bias^)? `:` type($input) `,` type($scale) (`,` type($bias)^)? `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Weft_RmsNormOp : Weft_StructuredOp<"rms_norm", [], Weft_tilesOfResult> {
  let summary = "Root mean square normalisation over the last dimension";
  let description = [{
    out[…, n] = x[…, n] / sqrt(mean of squares + epsilon) · scale[n], with the mean over the last dimension (Zhang and
    Sennrich 2019, arXiv:1910.07467).

    Example:
    ```mlir
    %y = weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>)
                       outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "values, [..., n]">:$input,
    Arg<Optional<Weft_Shaped>, "scale, [n]; 1 where absent">:$scale,
    Arg<Weft_Shaped, "destination, [..., n]">:$init,
    F32Attr:$epsilon);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $input (`,` $scale^)? `:` type($input) (`,` type($scale)^)? `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Weft_EmbeddingOp : Weft_StructuredOp<"embedding", [], Weft_tilesOfResult> {
  let summary = "Rows of a table, chosen by index";
  let description = [{
    out[t…, n] = table[ids[t…], n]. Every index must lie in [0, rows of the table): the runtime checks inputs against
    their declared `weft.index_limit`. A table with three dimensions is a weight in panels (`#weft.panels`), whose columns
    are the rows: [i div width, n, i mod width] for i = ids[t…], so that a product and a look-up share one weight.

    Example:
    ```mlir
    %y = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<10x4xf32>) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "indices, [t...]">:$ids,
    Arg<Weft_Shaped, "table, [rows, n], or in panels [⌈rows / width⌉, n, width]">:$table,
    Arg<Weft_Shaped, "destination, [t..., n]">:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $ids `,` $table `:` type($ids) `,` type($table) `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Weft_PackedMatmulOp : Weft_StructuredOp<"packed_matmul", [AttrSizedOperandSegments], Weft_tilesOfProduct> {
  let summary = "Matrix product with a right operand packed into column panels";
  let description = [{
    out[m, n] = Σ_k lhs[m, k] · rhs[n div c, k div i, (n mod c) · i + k mod i] (+ bias[n]), c the panel width and i the
    steps of k in a 32-bit word: 2 where rhs holds bf16 or f16, else 1 (see `#weft.panels`). The sum over k runs in order,
    in one accumulator of the output's type, from the bias or zero: a row's bits depend on nothing but that row, the
    weights and the bias.

    With `rows`, lhs[rows[m], k] takes the place of lhs[m, k]; a row outside of lhs is its last one.

    A block-diagonal weight has its blocks as a first dimension of `rhs`: columns of lhs and of out are in as many equal
    parts, and part g of out is the product of part g of lhs with rhs[g].

    Example:
    ```mlir
    %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<20xf32>)
                            outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "left operand, [m, k]">:$lhs,
    Arg<Weft_Shaped, "packed right operand, [ceil(n / c), ceil(k / i), c · i], or [blocks] of these">:$rhs,
    Arg<Optional<Weft_Shaped>, "bias, [n]">:$bias,
    Arg<Optional<Weft_Shaped>, "row of lhs for each row of the result, [m]">:$rows,
    Arg<Weft_Shaped, "destination, [m, n]; its values are not read">:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $lhs `,` $rhs (`,` $bias^)? `:` type($lhs) `,` type($rhs) (`,` type($bias)^)? `)`
    (`rows` `(` $rows^ `:` type($rows) `)`)? `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$results, "::mlir::Value":$lhs, "::mlir::Value":$rhs,
                                 "::mlir::Value":$bias, "::mlir::Value":$init), [{
    build($_builder, $_state, results, lhs, rhs, bias, ::mlir::Value(), init);
  }]>];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// Steps of k that lie beside each other for one column.
    int64_t getStepsPerWord() { return stepsPerWord(getRhs().getType().getElementType()); }
    /// Columns in a panel.
    int64_t getPanelWidth() { return getRhs().getType().getShape().back() / getStepsPerWord(); }
    /// Whether the weight is block-diagonal.
    bool hasBlocks() { return getRhs().getType().getRank() == 4; }
    /// Its blocks: 1 for any other weight, dynamic where they are not known.
    int64_t getBlocks() { return hasBlocks() ? getRhs().getType().getDimSize(0) : 1; }
  }];
}

#endif // WEFT_DIALECTS_WEFT_LAYEROPS_TD
