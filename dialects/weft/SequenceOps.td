// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that walk along a sequence and carry what they have seen: convolution over time, prefixes.
#ifndef WEFT_DIALECTS_WEFT_SEQUENCEOPS_TD
#define WEFT_DIALECTS_WEFT_SEQUENCEOPS_TD

include "dialects/weft/OpBase.td"

def Weft_CausalConvOp : Weft_StructuredOp<"causal_conv", [AttrSizedOperandSegments, Weft_StatefulOpInterface]> {
  let summary = "Depthwise convolution over time that carries its last inputs";
  let description = [{
    Over the iteration space (b, t, d) of batch, time and channel, with k taps:

      sum[b,t,d]  = bias[d] + Σ_i weight[d,i] · seen[b, t − (k−1) + i, d]
      init[b,t,d] = output(sum[b,t,d], elements of the extras…)

    where seen[b, s, d] at step t is input[b, s, d], before the first step state[b, k−1+s, d] (0 without a state), and 0
    where reset[b, r] ≠ 0 for an r with s < r ≤ t: nothing is seen across the start of a sequence. Afterwards `state`
    holds what a step after the last would see: it is read and written, so that a sequence may be cut into calls
    anywhere. With `reverse` time runs the other way: t − (k−1) + i becomes t + (k−1) − i, the first step is the last t,
    and r lies in t ≤ r < s. Without an `output` region the sum is rounded to the type of `init`. (The convolution of
    Mamba, Gu and Dao 2023, arXiv:2312.00752; of H3 before it, Fu et al. 2022, arXiv:2212.14052.)

    With `from`, `init` holds the steps from that one on of a longer `input`: what a tile in time is made of.

    Example: with the SiLU that follows, and a sequence that goes on in the next call
    ```mlir
    %y, %s = weft.causal_conv ins(%x, %w, %bias : tensor<?x?x32xf32>, tensor<32x4xf32>, tensor<32xf32>)
             reset(%starts : tensor<?x?xi8>) outs(%init : tensor<?x?x32xf32>) state(%state : tensor<?x3x32xf32>)
             output {
             ^bb0(%sum: f32):
               %one = arith.constant 1.0 : f32
               %minus = arith.negf %sum : f32
               %exp = math.exp %minus : f32
               %divisor = arith.addf %exp, %one : f32
               %silu = arith.divf %sum, %divisor : f32
               weft.yield %silu : f32
             } -> tensor<?x?x32xf32>, tensor<?x3x32xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "values, [b, t, d]; with `from`, of more steps than the destination">:$input,
    Arg<Weft_Shaped, "taps, the oldest first, [d, k]">:$weight,
    Arg<Optional<Weft_Shaped>, "where sums start, [d]">:$bias,
    Arg<Variadic<Weft_Shaped>, "what the output region reads, indexed by b, t, d">:$extras,
    Arg<Optional<Weft_Shaped>, "where a sequence starts anew, [b, t of the input]">:$reset,
    Arg<Optional<Index>, "the input's step that is the destination's first">:$from,
    Arg<Weft_Shaped, "destination, [b, t, d]; its values are not read">:$init,
    Arg<Optional<Weft_Shaped>, "the last inputs, [b, k − 1, d]; read and written">:$state,
    OptionalAttr<AffineMapArrayAttr>:$extra_maps,
    UnitAttr:$reverse);
  let regions = (region MaxSizedRegion<1>:$output);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $input `,` $weight (`,` $bias^)? `:` type($input) `,` type($weight) (`,` type($bias)^)? `)`
    (`extras` `(` $extras^ `:` type($extras) `)`)? (`reset` `(` $reset^ `:` type($reset) `)`)? (`from` `(` $from^ `)`)?
    `outs` `(` $init `:` type($init) `)` (`state` `(` $state^ `:` type($state) `)`)?
    (`output` $output^)? (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// init and, where present, state: the last operands.
    ::mlir::MutableOperandRange getDpsInitsMutable();
    ::mlir::MutableOperandRange getStatesMutable() { return getStateMutable(); }
    /// The dimensions of the iteration space, in order.
    enum Dim : unsigned { Batch, Time, Channel, NumDims };
    int64_t getTaps() { return getWeight().getType().getDimSize(1); }
    /// The map from (b, t, d) of the extra operand with this number.
    ::mlir::AffineMap getExtraMap(unsigned extra) {
      return ::llvm::cast<::mlir::AffineMapAttr>((*getExtraMaps())[extra]).getValue();
    }
  }];
}

def Weft_ScanOp : Weft_StructuredOp<"scan", [AttrSizedOperandSegments, Weft_StatefulOpInterface]> {
  let summary = "All prefixes of an associative combination along one dimension";
  let description = [{
    For accumulators i = 0 … m − 1 along the dimension t, everything else being fixed:

      acc_t       = combine(acc_{t−1}, x_t)     acc and x being all m accumulators and all m inputs
      acc_t       = x_t                         at the first step without a state, and where reset[…, t] ≠ 0
      output_i[t] = acc_t,i

    `indexing_maps` has a map for each accumulator, by which its input and its output are indexed, and one for `reset`,
    where there is one; `dimension` is the t among their dimensions. So an accumulator that is the same for several
    others, such as a maximum beside a vector, is stored and computed once. `state` holds the accumulators before the
    first step, indexed without t, and those after the last one then: it is read and written. With `reverse` the first
    step is the last t.

    `combine` takes the accumulators of the earlier steps, then those of the later ones. It must be associative, since
    parts of a sequence are combined in parallel (Blelloch 1990, "Prefix sums and their applications"). The verifier
    proves it where it can: polynomials, maximum and minimum, exponentials and their logarithms. `associative` says that
    it holds where there is no proof; what is shown not to be associative is refused.

    Example: attention as a recurrence over keys (Aaren, Feng et al. 2024, arXiv:2405.13956): maximum and sum of the
    weights, and the weighted value
    ```mlir
    %m, %s, %v = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, e) -> (b, t)>,
                   affine_map<(b, t, e) -> (b, t)>, affine_map<(b, t, e) -> (b, t, e)>]}
                 ins(%score, %one, %value : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>)
                 outs(%em, %es, %ev : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>)
                 combine {
                 ^bb0(%m0: f32, %s0: f32, %v0: f32, %m1: f32, %s1: f32, %v1: f32):
                   %max = arith.maximumf %m0, %m1 : f32
                   %d0 = arith.subf %m0, %max : f32
                   %d1 = arith.subf %m1, %max : f32
                   %w0 = math.exp %d0 : f32
                   %w1 = math.exp %d1 : f32
                   %t0 = arith.mulf %s0, %w0 : f32
                   %t1 = arith.mulf %s1, %w1 : f32
                   %sum = arith.addf %t0, %t1 : f32
                   %u0 = arith.mulf %v0, %w0 : f32
                   %u1 = arith.mulf %v1, %w1 : f32
                   %mix = arith.addf %u0, %u1 : f32
                   weft.yield %max, %sum, %mix : f32, f32, f32
                 } -> tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?x16xf32>
    ```
  }];
  let arguments = (ins
    Arg<Variadic<Weft_Shaped>, "what is combined, one for each accumulator">:$inputs,
    Arg<Optional<Weft_Shaped>, "where prefixes start anew">:$reset,
    Arg<Variadic<Weft_Shaped>, "destinations, one for each accumulator; their values are not read">:$outputs,
    Arg<Variadic<Weft_Shaped>, "accumulators, indexed without the scanned dimension; read and written">:$states,
    I64Attr:$dimension,
    AffineMapArrayAttr:$indexing_maps,
    UnitAttr:$associative,
    UnitAttr:$reverse);
  let regions = (region SizedRegion<1>:$combine);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $inputs `:` type($inputs) `)` (`reset` `(` $reset^ `:` type($reset) `)`)?
    `outs` `(` $outputs `:` type($outputs) `)` (`state` `(` $states^ `:` type($states) `)`)?
    `combine` $combine (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// outputs, then states: the last operands.
    ::mlir::MutableOperandRange getDpsInitsMutable();
        unsigned getNumAccumulators() { return getInputs().size(); }
    /// The map of an accumulator's input and output; with the number of accumulators, that of `reset`.
    ::mlir::AffineMap getMap(unsigned accumulator) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[accumulator]).getValue();
    }
    /// The map of an accumulator's state.
    ::mlir::AffineMap getStateMap(unsigned accumulator);
    /// The dimensions of the iteration space.
    unsigned getNumLoops() { return getMap(0).getNumDims(); }
    /// An input and the place in it that a dimension indexes.
    ::std::pair<::mlir::Value, unsigned> getOperandWith(unsigned dim);
  }];
}

#endif // WEFT_DIALECTS_WEFT_SEQUENCEOPS_TD
