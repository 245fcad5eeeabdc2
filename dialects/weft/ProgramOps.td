// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What holds a program together: weights by name, fused kernels, region terminators.
#ifndef WEFT_DIALECTS_WEFT_PROGRAMOPS_TD
#define WEFT_DIALECTS_WEFT_PROGRAMOPS_TD

include "dialects/weft/OpBase.td"

def Weft_ParameterOp : Weft_Op<"parameter", [Pure]> {
  let summary = "A weight of the model, by name";
  let description = [{
    The tensor `name` of the model's weights. With `sources`, the tensors of these names in the model's files,
    concatenated along their outputs; with `layout`, stored packed (the compiler packs once, at compile time). With
    `functions`, ops with one operand that the compiler applies to each element in this order, in float64; with `order`,
    dimension i is dimension order[i] of the file's tensor.

    Example:
    ```mlir
    %w = weft.parameter "encoder.layer.0.intermediate.dense.weight" : tensor<8x4xf32>
    %p = weft.parameter "layer.0.qkv" sources(["q.weight", "k.weight"]) layout(#weft.panels<width = 16, out_by_in = true>)
         : tensor<1x4x16xf32>
    %a = weft.parameter "layer.0.rates" sources(["layer.0.A_log"]) functions(["math.exp", "arith.negf"]) order[1, 0]
         : tensor<16x8xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, OptionalAttr<StrArrayAttr>:$sources, OptionalAttr<Weft_PanelsAttr>:$layout,
                       OptionalAttr<StrArrayAttr>:$functions, OptionalAttr<DenseI64ArrayAttr>:$order);
  let results = (outs Weft_Shaped:$result);
  let assemblyFormat = [{
    $name (`sources` `(` $sources^ `)`)? (`layout` `(` $layout^ `)`)? (`functions` `(` $functions^ `)`)?
    (`order` `` $order^)? attr-dict `:` type($result)
  }];
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::StringAttr":$name, "::mlir::ArrayAttr":$sources,
                                 "::weft::PanelsAttr":$layout), [{
    build($_builder, $_state, result, name, sources, layout, ::mlir::ArrayAttr(), ::mlir::DenseI64ArrayAttr());
  }]>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The tensors of the model's files that make this weight: `sources`, or the name alone.
    ::llvm::SmallVector<::llvm::StringRef> getSourceNames();
  }];
}

def Weft_KernelOp : Weft_Op<"kernel", [IsolatedFromAbove, RecursiveMemoryEffects,
                                       SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Ops that run as one fused kernel";
  let description = [{
    The body's ops become one function: intermediate values live in registers or in a tile-sized scratch, never in
    memory of the whole tensor's size. Block arguments stand for the operands, in order. The last operands, one for
    each result, are the destinations, whose memory the results take: empty tensors, or tensors that the body reads and
    writes over.

    Example:
    ```mlir
    %r = weft.kernel "copy"(%x, %init : tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%a: tensor<?x8xf32>, %out: tensor<?x8xf32>):
      %copy = linalg.copy ins(%a : tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
      weft.yield %copy : tensor<?x8xf32>
    }
    ```
  }];
  let arguments = (ins
    StrAttr:$name,
    Arg<Variadic<AnyType>, "what the body reads, then a destination for each result">:$inputs);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `(` ($inputs^ `:` type($inputs))? `)` (`->` type($results)^)? $body attr-dict
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Weft_YieldOp : Weft_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Ends a region of a weft op with its values";
  let description = [{
    Example:
    ```mlir
    weft.yield %visible : i1
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ (void)$_state; /* no values */ }]>];
  let hasVerifier = 1;
}

#endif // WEFT_DIALECTS_WEFT_PROGRAMOPS_TD
