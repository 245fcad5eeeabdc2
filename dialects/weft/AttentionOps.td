// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_DIALECTS_WEFT_ATTENTIONOPS_TD
#define WEFT_DIALECTS_WEFT_ATTENTIONOPS_TD

include "dialects/weft/OpBase.td"

def Weft_AttentionOp : Weft_StructuredOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "Attention with a score and a mask region";
  let description = [{
    Over the iteration space (b, h, i, j, d, e) of batch, head, query, key, head dimension and value dimension:

      s[b,h,i,j] = scale · key_scale[b,h,j] · Σ_d query[b,h,i,d] · key[b,h,j,d]
      s'         = score(s, b, h, i, j, extras…)
      visible    = mask(b, h, i, j, extras…)
      p[b,h,i,:] = softmax over the visible j of s'[b,h,i,:]
      output     = Σ_j p[b,h,i,j] · value_scale[b,h,j] · value[b,h,j,e]
      lse[b,h,i] = log Σ_{visible j} exp s'[b,h,i,j]

    `indexing_maps` says how query, key, value, the extra operands, output and lse (in operand order) are indexed by
    the six dimensions; results are dimensions, or `h floordiv g` for grouped heads (GQA, MQA). Rows with no visible
    key give 0 and a log-sum-exp of −inf. (Vaswani et al. 2017, arXiv:1706.03762; regions after FlexAttention,
    Dong et al. 2024, arXiv:2412.05496.)

    Where output and lse are indexed by `j floordiv l` too, the keys are cut into splits of l: softmax runs over each
    split by itself, and output and lse have a slice for each (weft-split-attention combines them).

    The score region gets (s : f32, b, h, i, j : index, one scalar for each extra operand) and yields f32; the mask
    region gets (b, h, i, j : index, one scalar for each extra operand) and yields i1. An absent region means the
    identity, respectively all visible. Keys and values may be 8-bit integers; the factors that make numbers of them
    are `key_scale` and `value_scale`, 1 where absent.

    With a `table`, keys and values (and their factors) lie in pages of P keys, in any order: key j of batch b is row
    j mod P of page table[b, j floordiv P]. Where their maps say b, their operands have pages, and where they say j, the P
    keys of a page; the table is indexed by (b, j floordiv P), and there are P keys for each of its columns. An entry
    that is no page's number counts as the last page's. (Kwon et al. 2023, arXiv:2309.06180.)

    `product_type = bf16` allows both products to round their operands to bf16 (query, key, the weights of softmax,
    value), where the target has faster products then; sums stay f32. Keys and values of bf16 allow it too.

    Example: padding mask, [batch, sequence, heads, head_dim] layout
    ```mlir
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
           affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
           affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, j)>,
           affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
         ins(%q, %k, %v, %m : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?xi64>)
         outs(%init : tensor<?x?x2x4xf32>)
         mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
           %zero = arith.constant 0 : i64
           %visible = arith.cmpi ne, %p, %zero : i64
           weft.yield %visible : i1
         } -> tensor<?x?x2x4xf32>
    ```

    Example: a cache of 8-bit keys and values with a factor for each token and head
    ```mlir
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
           affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>,
           affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>,
           affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>]}
         ins(%q, %k, %v : tensor<?x8x1x4xf32>, tensor<?x2x?x4xi8>, tensor<?x2x?x4xi8>)
         key_scale(%ks : tensor<?x2x?xf32>) value_scale(%vs : tensor<?x2x?xf32>)
         outs(%init : tensor<?x8x1x4xf32>) -> tensor<?x8x1x4xf32>
    ```

    Example: keys and values of one token's text in pages of 16
    ```mlir
    %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
           affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
           affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i)>,
           affine_map<(b, h, i, j, d, e) -> (b, j floordiv 16)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
         ins(%q, %k, %v, %p : tensor<?x1x2x4xf32>, tensor<?x16x2x4xf32>, tensor<?x16x2x4xf32>, tensor<?x1xi64>)
         table(%t : tensor<?x?xi64>) outs(%init : tensor<?x1x2x4xf32>)
         mask {
         ^bb0(%b: index, %h: index, %i: index, %j: index, %position: i64):
           %last = arith.index_cast %position : i64 to index
           %visible = arith.cmpi sle, %j, %last : index
           weft.yield %visible : i1
         } -> tensor<?x1x2x4xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "queries, indexed by b, h, i, d">:$query,
    Arg<Weft_Shaped, "keys, indexed by b, h, j, d">:$key,
    Arg<Weft_Shaped, "values, indexed by b, h, j, e">:$value,
    Arg<Variadic<Weft_Shaped>, "operands of the regions, indexed by b, h, i, j">:$extras,
    Arg<Optional<Weft_Shaped>, "factor of each key, indexed by b, h, j">:$key_scale,
    Arg<Optional<Weft_Shaped>, "factor of each value, indexed by b, h, j">:$value_scale,
    Arg<Optional<Weft_Shaped>, "pages of each batch's keys, indexed by b, j floordiv P">:$table,
    Arg<Weft_Shaped, "destination, indexed by b, h, i, e; its values are not read">:$output,
    Arg<Optional<Weft_Shaped>, "destination of the log-sum-exp, indexed by b, h, i">:$lse,
    F32Attr:$scale,
    AffineMapArrayAttr:$indexing_maps,
    OptionalAttr<TypeAttr>:$product_type);
  let regions = (region MaxSizedRegion<1>:$score, MaxSizedRegion<1>:$mask);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    attr-dict `ins` `(` $query `,` $key `,` $value (`,` $extras^)?
      `:` type($query) `,` type($key) `,` type($value) (`,` type($extras)^)? `)`
    (`key_scale` `(` $key_scale^ `:` type($key_scale) `)`)?
    (`value_scale` `(` $value_scale^ `:` type($value_scale) `)`)?
    (`table` `(` $table^ `:` type($table) `)`)?
    `outs` `(` $output (`,` $lse^)? `:` type($output) (`,` type($lse)^)? `)`
    (`score` $score^)? (`mask` $mask^)? (`->` type($results)^)?
  }];
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// output and, where present, lse: the last operands.
    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The numbers of operands that may be absent; meaningless where they are.
    unsigned getKeyScaleNumber() { return 3 + getExtras().size(); }
    unsigned getValueScaleNumber() { return getKeyScaleNumber() + (getKeyScale() ? 1 : 0); }
    unsigned getTableNumber() { return getValueScaleNumber() + (getValueScale() ? 1 : 0); }
    unsigned getOutputNumber() { return getTableNumber() + (getTable() ? 1 : 0); }
    unsigned getLseNumber() { return getOutputNumber() + 1; }
    /// The length of a split of the keys; 0 for softmax over all of them.
    int64_t getSplitLength();
    /// Keys in a page; 0 where they lie in one piece.
    int64_t getPageLength();
    /// Whether this operand has pages where its map says b, and a page's keys where it says j.
    bool isPaged(unsigned operand);
    /// The dimensions of the iteration space, in order.
    enum Dim : unsigned { Batch, Head, Query, Key, HeadDim, ValueDim, NumDims };
    /// The indexing map of the operand with this number.
    ::mlir::AffineMap getIndexingMap(unsigned operand) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[operand]).getValue();
    }
  }];
}

#endif // WEFT_DIALECTS_WEFT_ATTENTIONOPS_TD
