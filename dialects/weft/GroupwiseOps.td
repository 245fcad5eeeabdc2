// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products with weights that are rounded in groups along k.
#ifndef WEFT_DIALECTS_WEFT_GROUPWISEOPS_TD
#define WEFT_DIALECTS_WEFT_GROUPWISEOPS_TD

include "dialects/weft/OpBase.td"

def Weft_GroupwiseMatmulOp : Weft_StructuredOp<"groupwise_matmul", [], Weft_tilesOfProduct> {
  let summary = "Matrix product with a weight of 4- or 8-bit integers, a scale for each group of a column";
  let description = [{
    out[m, n] = Σ_k lhs[m, k] · (scale[k div group, n] · value[k, n]) (+ bias[n]). Values are integers of `bits` bits in
    two's complement, scales f16; both lie in `rhs` as dialects/weft/GroupForm.h says. A group's products are added in
    order of k, from zero; the sums times their scales are added in order of the groups, from the bias or zero. So a
    row's bits depend on nothing but that row, the weight and the bias.

    Example:
    ```mlir
    %y = weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : tensor<?x50xf32>, tensor<2x2x288xi8>, tensor<20xf32>)
                             outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "left operand, [m, k]">:$lhs,
    Arg<Weft_Shaped, "packed right operand, [ceil(n / 16), ceil(k / group), 2 · group · bits + 32]">:$rhs,
    Arg<Optional<Weft_Shaped>, "bias, [n]">:$bias,
    Arg<Weft_Shaped, "destination, [m, n]; its values are not read">:$init,
    I64Attr:$bits,
    I64Attr:$group);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $lhs `,` $rhs (`,` $bias^)? `:` type($lhs) `,` type($rhs) (`,` type($bias)^)? `)`
    `outs` `(` $init `:` type($init) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::weft::GroupForm getForm() { return {static_cast<int64_t>(getBits()), static_cast<int64_t>(getGroup())}; }
  }];
}

#endif // WEFT_DIALECTS_WEFT_GROUPWISEOPS_TD
