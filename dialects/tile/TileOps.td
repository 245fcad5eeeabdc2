// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: shared memory, copies and products.
#ifndef WEFT_DIALECTS_TILE_TILEOPS_TD
#define WEFT_DIALECTS_TILE_TILEOPS_TD

include "dialects/tile/FragmentOps.td"
include "dialects/tile/OpBase.td"
include "dialects/tile/RoleOps.td"

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def Tile_AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "Shared memory of the block";
  let description = [{
    `weft-place-buffers` gives it its place, `offset` bytes from the start of the block's shared memory.

    Example:
    ```mlir
    %a = tile.alloc : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
    ```
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs Tile_BufferType:$buffer);
  let assemblyFormat = "attr-dict `:` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Tile_StageOp : Tile_Op<"stage", [Pure, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "One stage of a ring of buffers";
  let description = [{
    Stage `index` mod the number of stages.

    Example:
    ```mlir
    %a_now = tile.stage %a[%i] : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
    ```
  }];
  let arguments = (ins Arg<Tile_BufferType, "the ring">:$ring, Arg<Index, "counts up from 0">:$index);
  let results = (outs Tile_BufferType:$buffer);
  let assemblyFormat = "$ring `[` $index `]` attr-dict `:` qualified(type($ring))";
}

def Tile_SliceOp : Tile_Op<"slice", [Pure]> {
  let summary = "Part of a buffer";
  let description = [{
    Rows from `row` and columns from `column` on. With a swizzle `row` is a multiple of 8, so that the swizzle of the part
    is that of the whole.

    Example:
    ```mlir
    %mine = tile.slice %q[%row, 0] : !tile.buffer<128x64xbf16, swizzle = 128> to !tile.buffer<64x64xbf16, swizzle = 128, pitch = 128>
    ```
  }];
  let arguments = (ins Arg<Tile_BufferType, "the whole">:$whole, Arg<Index, "first row">:$row, I64Attr:$column);
  let results = (outs Tile_BufferType:$part);
  let assemblyFormat = "$whole `[` $row `,` $column `]` attr-dict `:` qualified(type($whole)) `to` qualified(type($part))";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

def Tile_CopyAsyncOp : Tile_Op<"copy_async"> {
  let summary = "Global to shared memory, beside the program (cp.async)";
  let description = [{
      buffer[r, c] = source[(row + r) · stride + column + c]    where row + r < rows, column + c < columns
                     0                                          elsewhere

    The `warps` of the group share the work, `bytes` (16, 8 or 4) at a time: `source`, `stride`, `column` and `columns` lie
    on such multiples. Without `in` all of it is inside. It is done when `tile.wait_copies` has waited for its group.

    Example:
    ```mlir
    tile.copy_async %x[%m, %k] in (%rows, %depth) stride %depth to %a_now {warps = 4 : i64} : !llvm.ptr<1> to !tile.buffer<128x32xbf16, swizzle = 64>
    ```
  }];
  let arguments = (ins
    Arg<Tile_GlobalPointer, "element [0, 0]", [MemRead]>:$source, Index:$row, Index:$column,
    Variadic<Index>:$extents, Arg<Index, "elements from row to row">:$stride,
    Arg<Tile_BufferType, "one stage", [MemWrite]>:$buffer, I64Attr:$warps, DefaultValuedAttr<I64Attr, "16">:$bytes);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` (`in` `(` $extents^ `)`)? `stride` $stride `to` $buffer attr-dict
    `:` qualified(type($source)) `to` qualified(type($buffer))
  }];
  let hasVerifier = 1;
}

def Tile_CommitCopiesOp : Tile_Op<"commit_copies"> {
  let summary = "Ends a group of copies";
  let description = [{
    The copies of this thread since the last one are a group.

    Example:
    ```mlir
    tile.commit_copies
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_WaitCopiesOp : Tile_Op<"wait_copies"> {
  let summary = "Waits until at most so many groups of copies are on their way";
  let description = [{
    Each thread waits for its own copies: other threads may read them after a `tile.sync`.

    Example:
    ```mlir
    tile.wait_copies {pending = 2 : i64}
    ```
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Tile_SyncOp : Tile_Op<"sync"> {
  let summary = "A barrier of the block";
  let description = [{
    Every thread of the block comes here before one goes on, and sees what the others wrote. Not in a role, where the
    others do not come: `tile.barrier` is for some of the warps.

    Example:
    ```mlir
    tile.sync
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Tile_LoadOp : Tile_Op<"load"> {
  let summary = "Shared memory to registers";
  let description = [{
    An operand comes by ldmatrix, `transposed` where the buffer holds its transpose; any other fragment element by element.

    Example:
    ```mlir
    %a = tile.load %a_now : !tile.buffer<128x32xbf16, swizzle = 64> to !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins Arg<Tile_BufferType, "one stage", [MemRead]>:$buffer, UnitAttr:$transposed);
  let results = (outs Tile_FragmentType:$fragment);
  let assemblyFormat = "(`transposed` $transposed^)? $buffer attr-dict `:` qualified(type($buffer)) `to` qualified(type($fragment))";
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store"> {
  let summary = "Registers to shared memory";
  let description = [{
    With `by_matrix`, for elements of 16 bits, by stmatrix (sm_90).

    Example:
    ```mlir
    tile.store %sum to %staged : !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x64xf32>
    ```
  }];
  let arguments = (ins Tile_FragmentType:$fragment, Arg<Tile_BufferType, "one stage", [MemWrite]>:$buffer,
                       UnitAttr:$by_matrix);
  let assemblyFormat = "$fragment `to` $buffer attr-dict `:` qualified(type($fragment)) `to` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Tile_LoadGlobalOp : Tile_Op<"load_global"> {
  let summary = "Global memory to registers";
  let description = [{
    Elements outside of `in` are 0; `bytes` and `even` as of `tile.store_global`. A vector of row values is read down a
    column (`stride` elements apart), one of column values along a row.

    Example:
    ```mlir
    %bias = tile.load_global %b[%zero, %n] in (%one, %columns) stride %columns : !llvm.ptr<1> to !tile.fragment<128xf32, #tile.column_values<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins
    Arg<Tile_GlobalPointer, "element [0, 0]", [MemRead]>:$source, Index:$row, Index:$column,
    Variadic<Index>:$extents, Arg<Index, "elements from row to row">:$stride,
    OptionalAttr<I64Attr>:$bytes, UnitAttr:$even);
  let results = (outs Tile_FragmentType:$fragment);
  let assemblyFormat = [{
    $source `[` $row `,` $column `]` (`in` `(` $extents^ `)`)? `stride` $stride attr-dict
    `:` qualified(type($source)) `to` qualified(type($fragment))
  }];
  let hasVerifier = 1;
}

def Tile_StoreGlobalOp : Tile_Op<"store_global"> {
  let summary = "Registers to global memory";
  let description = [{
    Elements outside of `in` are not stored. Neighbours in a row go together; `bytes` says on which multiples
    `destination`, `stride` and `column` lie, by default those of an element. With `in` each neighbour is checked, or all
    at once where `columns` lies on such multiples too (`even`).

    Example:
    ```mlir
    tile.store_global %sum to %y[%m, %n] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> to !llvm.ptr<1>
    ```
  }];
  let arguments = (ins
    Tile_FragmentType:$fragment, Arg<Tile_GlobalPointer, "element [0, 0]", [MemWrite]>:$destination, Index:$row,
    Index:$column, Variadic<Index>:$extents, Arg<Index, "elements from row to row">:$stride,
    OptionalAttr<I64Attr>:$bytes, UnitAttr:$even);
  let assemblyFormat = [{
    $fragment `to` $destination `[` $row `,` $column `]` (`in` `(` $extents^ `)`)? `stride` $stride
    attr-dict `:` qualified(type($fragment)) `to` qualified(type($destination))
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def Tile_MmaOp : Tile_Op<"mma", [AllTypesMatch<["sum", "result"]>]> {
  let summary = "A product by the matrix instructions of a warp (mma.sync)";
  let description = [{
      result = sum + a · b

    Factors are operands in registers or buffers, which are read step by step of K; `a_transposed`, `b_transposed`: the
    buffer holds the factor's transpose. bf16, f16 and f32 add to f32, i8 to i32. f32 is cut to tf32, which keeps 10 of 23
    bits of the fraction; with `split` a number is the sum of two of these, and a product three: 20 bits.

    Example:
    ```mlir
    %next = tile.mma %a, b_transposed %b_now, %sum : !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>, !tile.buffer<128x32xbf16, swizzle = 64> -> !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins Arg<Tile_Factor, "M × K", [MemRead]>:$a, Arg<Tile_Factor, "K × N", [MemRead]>:$b,
                       Arg<Tile_FragmentType, "M × N">:$sum, UnitAttr:$a_transposed, UnitAttr:$b_transposed,
                       UnitAttr:$split);
  let results = (outs Tile_FragmentType:$result);
  let assemblyFormat = [{
    (`a_transposed` $a_transposed^)? $a `,` (`b_transposed` $b_transposed^)? $b `,` $sum attr-dict
    `:` qualified(type($a)) `,` qualified(type($b)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Tile_WarpGroupMmaOp : Tile_Op<"warp_group_mma"> {
  let summary = "A product by the matrix instructions of four warps (wgmma)";
  let description = [{
      result = sum + a · b    (0 + a · b without a sum)

    One group of asynchronous instructions, fenced before and committed after: `result` is pending until
    `tile.wait_products`. `a` is a buffer or an operand in registers, `b` a buffer; `b_transposed`: it is N × K.

    Example:
    ```mlir
    %s = tile.warp_group_mma %q, b_transposed %k : !tile.buffer<64x128xbf16, swizzle = 128>, !tile.buffer<128x128xbf16, swizzle = 128> -> !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
    ```
  }];
  let arguments = (ins Arg<Tile_Factor, "64 × K", [MemRead]>:$a, Arg<Tile_BufferType, "K × N", [MemRead, MemWrite]>:$b,
                       Optional<Tile_Value>:$sum, UnitAttr:$b_transposed);
  let results = (outs Tile_PendingType:$result);
  let assemblyFormat = [{
    $a `,` (`b_transposed` $b_transposed^)? $b (`plus` $sum^ `:` qualified(type($sum)))? attr-dict
    `:` qualified(type($a)) `,` qualified(type($b)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Tile_WaitProductsOp : Tile_Op<"wait_products", [MemoryEffects<[MemRead, MemWrite]>,
                                                   DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "Waits until at most so many groups of products are being computed";
  let description = [{
    Gives the fragments of `products`. `held` are operands in registers that the awaited instructions read: they are not
    overwritten before.

    Example:
    ```mlir
    %scores = tile.wait_products %s {pending = 0 : i64} : !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
    ```
  }];
  let arguments = (ins Tile_PendingType:$product, Variadic<Tile_FragmentType>:$held, I64Attr:$pending);
  let results = (outs Tile_FragmentType:$fragment);
  let assemblyFormat = "$product (`holding` `(` $held^ `:` qualified(type($held)) `)`)? attr-dict `:` qualified(type($product))";
  let hasVerifier = 1;
}

def Tile_WaitEarlierOp : Tile_Op<"wait_earlier", [MemoryEffects<[MemRead, MemWrite]>,
                                                  AllTypesMatch<["product", "result"]>]> {
  let summary = "Waits for groups of products before the last ones";
  let description = [{
    As `tile.wait_products`, but what it is given stays pending: earlier groups, which may have added to the same sum, have
    then read what they read, so that it can be released while the next group runs.

    Example:
    ```mlir
    %u = tile.wait_earlier %t {pending = 1 : i64} : !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
    ```
  }];
  let arguments = (ins Tile_PendingType:$product, Variadic<Tile_FragmentType>:$held, I64Attr:$pending);
  let results = (outs Tile_PendingType:$result);
  let assemblyFormat = "$product (`holding` `(` $held^ `:` type($held) `)`)? attr-dict `:` qualified(type($product))";
  let hasVerifier = 1;
}

#endif // WEFT_DIALECTS_TILE_TILEOPS_TD
