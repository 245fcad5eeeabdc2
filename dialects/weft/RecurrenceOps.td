// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state-space models and linear attentions of one op: a state that goes over a sequence.
#ifndef WEFT_DIALECTS_WEFT_RECURRENCEOPS_TD
#define WEFT_DIALECTS_WEFT_RECURRENCEOPS_TD

include "dialects/weft/OpBase.td"

def Weft_RecurrenceOp : Weft_StructuredOp<"recurrence", [AttrSizedOperandSegments, Weft_StatefulOpInterface]> {
  let summary = "A linear recurrence over time whose state is a matrix for each head";
  let description = [{
    Over the iteration space (b, h, t, n, e) of batch, head, time, key dimension and value dimension, with the numbers
    that the `step` region computes of the inputs' elements at (b, h, t, n, e):

      S'         = S[b,h,n,e] before the step; 0 where reset[b,t] is not 0
      S[b,h,n,e] = decay · S' + low_rank_b · (Σ_m low_rank_a[m] · S'[m,e]) + key · value
      o[b,h,t,e] = Σ_n query · S[b,h,n,e]
      outputs    = output(o, elements of the inputs…)

    in the order of t, or against it with `reverse`. A number that the region does not give is 1 (query, key, decay), a
    pair that it does not give is 0 (low_rank). `indexing_maps` says how each operand is indexed by the five
    dimensions; an index is a dimension, or `h floordiv g` for grouped heads. A dimension that no operand is indexed by
    has the extent 1. What the inputs of a number are indexed by decides how often it is computed: a decay that
    depends on b, h and t only is one number for all of S.

    The families: no decay is linear attention (Katharopoulos et al. 2020, arXiv:2006.16236), one for each head RetNet
    (Sun et al. 2023, arXiv:2307.08621) and Mamba-2 (Dao and Gu 2024, arXiv:2405.21060), one for each n GLA (Yang et al.
    2023, arXiv:2312.06635), one for each n and e Mamba (Gu and Dao 2023, arXiv:2312.00752), S4D and S5. The delta rule
    with the rate β (Yang et al. 2024, arXiv:2406.06484) is `low_rank(k · decay, −β · k)` with the key `β · k`; RWKV-7
    (Peng et al. 2025, arXiv:2503.14456) gives both vectors.

    `state` operands hold S before the first step and after the last: they are read and written. Without them, S starts
    at 0. A state that is also indexed by `t floordiv l`, or by `t floordiv l + 1`, is an S for each part of l steps, each
    of which starts from its own: parts do not wait for one another. Where one of query, key, value and decay is a pair,
    real and imaginary part, S is complex: two state operands, and `output` takes both parts of o. Without an `output`
    region there is one output, the real part of o, or none.

    Example: Mamba, with the softplus of its time step and the gate of its output
    ```mlir
    %y, %s = weft.recurrence {indexing_maps = [
               affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, e)>,
               affine_map<(b, h, t, n, e) -> (n, e)>, affine_map<(b, h, t, n, e) -> (b, t, n)>,
               affine_map<(b, h, t, n, e) -> (b, t, n)>, affine_map<(b, h, t, n, e) -> (b, t, e)>,
               affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, n, e)>]}
             ins(%x, %dt, %rate, %key, %query, %z : tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<16x32xf32>,
                 tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x32xf32>)
             outs(%init : tensor<?x?x32xf32>) state(%state : tensor<?x16x32xf32>)
             step {
             ^bb0(%xs: f32, %dts: f32, %a: f32, %k: f32, %q: f32, %zs: f32):
               %log = arith.mulf %dts, %a : f32
               %decay = math.exp %log : f32
               %value = arith.mulf %dts, %xs : f32
               weft.step query(%q) key(%k) value(%value) decay(%decay)
             } output {
             ^bb0(%o: f32, %xs: f32, %dts: f32, %a: f32, %k: f32, %q: f32, %zs: f32):
               %gated = arith.mulf %o, %zs : f32
               weft.yield %gated : f32
             } -> tensor<?x?x32xf32>, tensor<?x16x32xf32>
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Weft_Shaped>, "what the regions read, indexed by b, h, t, n, e">:$inputs,
    Arg<Optional<Weft_Shaped>, "where a sequence starts anew, indexed by b, t">:$reset,
    Arg<Variadic<Weft_Shaped>, "destinations, indexed by b, h, t, e; their values are not read">:$outputs,
    Arg<Variadic<Weft_Shaped>, "S, or its real and imaginary part, indexed by b, h, n, e, and by parts; read and written">:$states,
    AffineMapArrayAttr:$indexing_maps,
    UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$step, MaxSizedRegion<1>:$output);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict (`ins` `(` $inputs^ `:` type($inputs) `)`)? (`reset` `(` $reset^ `:` type($reset) `)`)?
    (`outs` `(` $outputs^ `:` type($outputs) `)`)? (`state` `(` $states^ `:` type($states) `)`)?
    `step` $step (`output` $output^)? (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// outputs, then states: the last operands.
    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The dimensions of the iteration space, in order.
    enum Dim : unsigned { Batch, Head, Time, Key, Value, NumDims };
    /// The indexing map of the operand with this number.
    ::mlir::AffineMap getIndexingMap(unsigned operand) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[operand]).getValue();
    }
    unsigned getResetNumber() { return getInputs().size(); }
    unsigned getFirstOutput() { return getInputs().size() + (getReset() ? 1 : 0); }
    unsigned getFirstState() { return getFirstOutput() + getOutputs().size(); }
    /// Takes an input away, whose arguments nothing reads.
    void eraseInput(unsigned input);
    /// What the step region computes.
    StepOp getStepOp();
    /// Whether S has an imaginary part.
    bool isComplex();
    /// The steps of a part, where each part has states of its own; else nothing.
    ::std::optional<int64_t> getPartLength();
    /// The static extents of the dimensions: dynamic where an operand's is, 1 where no operand is indexed.
    ::llvm::SmallVector<int64_t> getStaticExtents();
  }];
}

def Weft_StepOp : Weft_Op<"step", [Pure, Terminator, HasParent<"RecurrenceOp">, AttrSizedOperandSegments]> {
  let summary = "Ends the step region of a recurrence with the numbers of one step";
  let description = [{
    One number each, or two for the real and the imaginary part; `low_rank` takes a and b.

    Example:
    ```mlir
    weft.step query(%q) key(%k) value(%v) decay(%g) low_rank(%a, %b)
    ```
  }];
  let arguments = (ins Variadic<F32>:$query, Variadic<F32>:$key, Variadic<F32>:$value, Variadic<F32>:$decay,
                       Variadic<F32>:$low_rank);
  let assemblyFormat = [{
    (`query` `(` $query^ `)`)? (`key` `(` $key^ `)`)? `value` `(` $value `)` (`decay` `(` $decay^ `)`)?
    (`low_rank` `(` $low_rank^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // WEFT_DIALECTS_WEFT_RECURRENCEOPS_TD
