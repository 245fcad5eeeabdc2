// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products in 8-bit integers: rows of activations rounded as they come, weights rounded once.
#ifndef WEFT_DIALECTS_WEFT_QUANTIZEDOPS_TD
#define WEFT_DIALECTS_WEFT_QUANTIZEDOPS_TD

include "dialects/weft/OpBase.td"

def Weft_QuantizeRowsOp : Weft_StructuredOp<"quantize_rows"> {
  let summary = "Rows as 8-bit integers with one scale a row";
  let description = [{
    scales[m] = max_k |input[m, k]| / 127, values[m, k] = input[m, k] / scales[m] rounded to the nearest integer, half to
    even. `values` has zeros behind the row up to a multiple of four columns. docs/spec.md gives every rounding.

    Example:
    ```mlir
    %q, %s = weft.quantize_rows ins(%x : tensor<?x6xf32>) outs(%v, %t : tensor<?x8xi8>, tensor<?xf32>)
             -> tensor<?x8xi8>, tensor<?xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "rows, [m, k]">:$input,
    Arg<Weft_Shaped, "destination of the integers, [m, k rounded up to a multiple of 4]">:$values,
    Arg<Weft_Shaped, "destination of the scales, [m]">:$scales);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $input `:` type($input) `)`
    `outs` `(` $values `,` $scales `:` type($values) `,` type($scales) `)` (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), 1, 2);
    }
  }];
}

def Weft_QuantizedMatmulOp : Weft_StructuredOp<"quantized_matmul", [], Weft_tilesOfProduct> {
  let summary = "Matrix product of 8-bit integers with a scale a row and a scale a column";
  let description = [{
    out[m, n] = (Σ_k lhs[m, k] · rhs[k, n]) · lhs_scales[m] · rhs_scales[n] (+ bias[n]). The sum is exact, in 32-bit
    integers; the two products and the addition round once each, in this order, on every target.

    The weight lies in panels of 16 columns, four steps of k of a column beside each other:
    rhs[n div 16, k div 4, (n mod 16) · 4 + k mod 4].

    Example:
    ```mlir
    %y = weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<?x8xi8>, tensor<?xf32>, tensor<2x2x64xi8>, tensor<20xf32>)
                               outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "left operand, [m, k]">:$lhs,
    Arg<Weft_Shaped, "scales of its rows, [m]">:$lhs_scales,
    Arg<Weft_Shaped, "packed right operand, [ceil(n / 16), k / 4, 64]">:$rhs,
    Arg<Weft_Shaped, "scales of its columns, [n]">:$rhs_scales,
    Arg<Optional<Weft_Shaped>, "bias, [n]">:$bias,
    Arg<Weft_Shaped, "destination, [m, n]; its values are not read">:$init);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $lhs `,` $lhs_scales `,` $rhs `,` $rhs_scales (`,` $bias^)? `:`
    type($lhs) `,` type($lhs_scales) `,` type($rhs) `,` type($rhs_scales) (`,` type($bias)^)? `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    /// Columns in a panel.
    static constexpr int64_t kWidth = 16;
    /// Steps of k of one column that lie beside each other.
    static constexpr int64_t kGroup = 4;
    /// So many steps of k cannot overflow the sum: 2^17 · 127 · 128 < 2^31.
    static constexpr int64_t kMaxDepth = 1 << 17;
  }];
}

#endif // WEFT_DIALECTS_WEFT_QUANTIZEDOPS_TD
