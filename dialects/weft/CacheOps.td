// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on caches: tensors with a slot for each position of a sequence, filled from call to call.
#ifndef WEFT_DIALECTS_WEFT_CACHEOPS_TD
#define WEFT_DIALECTS_WEFT_CACHEOPS_TD

include "dialects/weft/OpBase.td"

def Weft_CacheUpdateOp : Weft_StructuredOp<"cache_update", [Weft_StatefulOpInterface]> {
  let summary = "Writes the rows of new tokens into the slots of a cache";
  let description = [{
    The cache has a slot for each position of a sequence, along `dimension`; `rows` has a row for each new token there.
    Row t of batch b goes into the slot of positions[b, t]:

      slot(p) = p          where 0 ≤ p < slots
                p mod slots where p ≥ 0, with `ring`
                none        else

    All other slots stay as they are: the cache is read and written, and in memory only the slots of new tokens are
    touched. Of rows with one slot the last stays. A row without a slot is not written, so no position, however wrong,
    leads out of the cache. With `ring` the cache holds the last positions only, which is what a sliding window needs.

    With a `table` the cache has pages instead of batches, and their slots instead of a sequence's: position p of batch b
    is slot p mod slots of page table[b, p floordiv slots], if there are such an entry and such a page. Rows of two
    batches never go into the same slot: what such a slot holds then is one of them.

    Example: the keys of a call's tokens, for attention to all tokens so far
    ```mlir
    %keys = weft.cache_update {dimension = 1 : i64} ins(%k, %positions : tensor<?x?x4x16xf32>, tensor<?x?xi64>)
            outs(%cache : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32>
    ```

    Example: the same, the keys of a text in pages of 16
    ```mlir
    %keys = weft.cache_update {dimension = 1 : i64} ins(%k, %positions : tensor<?x?x4x16xf32>, tensor<?x?xi64>)
            table(%table : tensor<?x?xi64>) outs(%cache : tensor<?x16x4x16xf32>) -> tensor<?x16x4x16xf32>
    ```
  }];
  let arguments = (ins
    Arg<Weft_Shaped, "new rows, [b, …, t, …]">:$rows,
    Arg<Weft_Shaped, "where they go, [b, t]">:$positions,
    Arg<Optional<Weft_Shaped>, "pages of each batch, [b, block]">:$table,
    Arg<Weft_Shaped, "destination, [b or page, …, slots, …]; read and written">:$cache,
    I64Attr:$dimension,
    UnitAttr:$ring);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    attr-dict `ins` `(` $rows `,` $positions `:` type($rows) `,` type($positions) `)`
    (`table` `(` $table^ `:` type($table) `)`)? `outs` `(` $cache `:` type($cache) `)` (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getCacheMutable(); }
    ::mlir::MutableOperandRange getStatesMutable() { return getCacheMutable(); }
  }];
}

#endif // WEFT_DIALECTS_WEFT_CACHEOPS_TD
