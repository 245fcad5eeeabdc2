// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: what is done to fragments in registers.
#ifndef WEFT_DIALECTS_TILE_FRAGMENTOPS_TD
#define WEFT_DIALECTS_TILE_FRAGMENTOPS_TD

include "dialects/tile/OpBase.td"

def Tile_SplatOp : Tile_Op<"splat", [Pure]> {
  let summary = "A fragment of equal elements";
  let description = [{
    Example:
    ```mlir
    %none = tile.splat %x : f32 to !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins AnyTypeOf<[AnyFloat, AnySignlessInteger]>:$value);
  let results = (outs Tile_FragmentType:$fragment);
  let assemblyFormat = "$value attr-dict `:` qualified(type($value)) `to` qualified(type($fragment))";
  let hasVerifier = 1;
}

def Tile_CoordinateOp : Tile_Op<"coordinate", [Pure]> {
  let summary = "The row or the column of each element";
  let description = [{
    Row (`dimension = 0`) or column (1) in the fragment, for masks.

    Example:
    ```mlir
    %column = tile.coordinate {dimension = 1 : i64} : !tile.fragment<128x128xi32, #tile.accumulator<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins I64Attr:$dimension);
  let results = (outs Tile_FragmentType:$fragment);
  let assemblyFormat = "attr-dict `:` qualified(type($fragment))";
  let hasVerifier = 1;
}

def Tile_MapOp : Tile_Op<"map", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "Computes each element from those at its place";
  let description = [{
    The region computes one element from one of each input. An input has the layout of the result, or is a vector of its
    rows or columns. What is outside of the region may be used, too.

    Example:
    ```mlir
    %scaled = tile.map ins(%sum, %scale : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>, !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>) -> !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> {
    ^bb0(%s: f32, %r: f32):
      %p = arith.mulf %s, %r : f32
      tile.yield %p : f32
    }
    ```
  }];
  let arguments = (ins Variadic<Tile_FragmentType>:$inputs);
  let results = (outs Tile_FragmentType:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`ins` `(` $inputs `:` qualified(type($inputs)) `)` `->` qualified(type($result)) attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"MapOp">]> {
  let summary = "The element that `tile.map` computes";
  let description = [{
    Example:
    ```mlir
    tile.yield %p : f32
    ```
  }];
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` qualified(type($value))";
}

def Tile_ReduceOp : Tile_Op<"reduce", [Pure]> {
  let summary = "The sum or the maximum of each row";
  let description = [{
    Over all columns; the result is whole, or `partial`: each of the four lanes of a row has what its own elements give,
    which `tile.combine` completes. Lanes exchange by butterflies, so that all of them hold the same bits.

    Example:
    ```mlir
    %peak = tile.reduce max %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Tile_FragmentType:$input);
  let results = (outs Tile_FragmentType:$result);
  let assemblyFormat = "custom<Word>($kind) $input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Tile_CombineOp : Tile_Op<"combine", [Pure]> {
  let summary = "Completes partial row values";
  let description = [{
    Example:
    ```mlir
    %whole = tile.combine add %part : !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1, partial = true>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Tile_FragmentType:$input);
  let results = (outs Tile_FragmentType:$result);
  let assemblyFormat = "custom<Word>($kind) $input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Tile_ColumnsOp : Tile_Op<"columns", [Pure]> {
  let summary = "Some columns of an accumulator";
  let description = [{
    Those from `first` on, which are in the same lanes. So what is done to each element can be done part by part, with few
    registers for what it is done with.

    Example:
    ```mlir
    %right = tile.columns %wide {first = 64 : i64} : !tile.fragment<64x256xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins Tile_FragmentType:$whole, I64Attr:$first);
  let results = (outs Tile_FragmentType:$part);
  let assemblyFormat = "$whole attr-dict `:` qualified(type($whole)) `to` qualified(type($part))";
  let hasVerifier = 1;
}

def Tile_ConvertOp : Tile_Op<"convert", [Pure]> {
  let summary = "Another type of numbers, in a layout that gives each lane the same elements";
  let description = [{
    From f32 to bf16 or f16, rounded to nearest even, or back. So an accumulator becomes the left factor of the next
    product without an exchange between lanes.

    Example:
    ```mlir
    %p = tile.convert %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<128x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
    ```
  }];
  let arguments = (ins Tile_FragmentType:$input);
  let results = (outs Tile_FragmentType:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `to` qualified(type($result))";
  let hasVerifier = 1;
}

#endif // WEFT_DIALECTS_TILE_FRAGMENTOPS_TD
