// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: warps in roles, and the pipelines and barriers between them.
#ifndef WEFT_DIALECTS_TILE_ROLEOPS_TD
#define WEFT_DIALECTS_TILE_ROLEOPS_TD

include "dialects/tile/OpBase.td"

def Tile_RolesOp : Tile_Op<"roles", [RecursiveMemoryEffects]> {
  let summary = "Warps of the block do different things";
  let description = [{
    Begins with a barrier of the block, after which pipelines are ready. Then the first four warps run `producer`, one
    thread of them, and each further four run `consumer`, whose argument is their number from 0; they are `consumers`
    groups. `registers` are those of a thread of the producer and of a consumer (setmaxnreg).

    A verifier runs the pipelines of both with small trip counts: see `tile.pipeline`.

    Example:
    ```mlir
    tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer {
      tile.end
    } consumer {
    ^bb0(%group: index):
      tile.end
    }
    ```
  }];
  let arguments = (ins I64Attr:$consumers, DenseI64ArrayAttr:$registers);
  let regions = (region SizedRegion<1>:$producer, SizedRegion<1>:$consumer);
  let assemblyFormat = "attr-dict `producer` $producer `consumer` $consumer";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tile_EndOp : Tile_Op<"end", [Pure, Terminator, ParentOneOf<["RolesOp", "FillOp"]>]> {
  let summary = "The end of a role or of a filling";
  let description = [{
    Example:
    ```mlir
    tile.end
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_PipelineOp : Tile_Op<"pipeline", [MemoryEffects<[MemAlloc]>]> {
  let summary = "Makes the barriers of a ring of stages";
  let description = [{
    Stage i mod `stages` is filled for the i-th time by `tile.fill`, which waits until it is empty; `tile.wait_full` waits
    for that, and `tile.release` of every consuming warp makes it empty. Which of them come how often is decided by loops
    whose bounds are the same values on both sides: the verifier of `tile.roles` runs them, with every trip count from 1 to
    two more than there are stages, and refuses pipelines where someone waits for ever, something filled is never read, or
    a stage is read before its wait, after its release, or by products that its release does not wait for.

    Example:
    ```mlir
    %full = tile.pipeline : !tile.pipeline<stages = 4, consumers = 8>
    ```
  }];
  let arguments = (ins OptionalAttr<I64Attr>:$offset);
  let results = (outs Tile_PipelineType:$pipeline);
  let assemblyFormat = "attr-dict `:` qualified(type($pipeline))";
  let hasVerifier = 1;
}

def Tile_FillOp : Tile_Op<"fill", [RecursiveMemoryEffects]> {
  let summary = "Fills a stage by tensor copies";
  let description = [{
    Waits until the stage is empty, says how many bytes will come, and starts the copies in the region.

    Example:
    ```mlir
    tile.fill %full[%i] : !tile.pipeline<stages = 4, consumers = 8> {
      tile.load_tensor %map[%k, %m] to %a_now : !llvm.ptr to !tile.buffer<128x64xbf16, swizzle = 128>
      tile.end
    }
    ```
  }];
  let arguments = (ins Tile_PipelineType:$pipeline, Arg<Index, "counts fillings from 0">:$index);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$pipeline `[` $index `]` `:` qualified(type($pipeline)) attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
}

def Tile_LoadTensorOp : Tile_Op<"load_tensor", [HasParent<"FillOp">]> {
  let summary = "A box of a tensor to shared memory (TMA)";
  let description = [{
    `coordinates` are those of the box's first element, innermost first. The map's box is a panel of the buffer: the
    swizzle's bytes wide and as high as the buffer; there is a copy for each panel. What is outside of the tensor is 0.

    Example:
    ```mlir
    tile.load_tensor %map[%k, %m] to %a_now : !llvm.ptr to !tile.buffer<128x64xbf16, swizzle = 128>
    ```
  }];
  let arguments = (ins Arg<Tile_TensorMap, "", [MemRead]>:$map, Variadic<Index>:$coordinates,
                       Arg<Tile_BufferType, "one stage", [MemWrite]>:$buffer);
  let assemblyFormat = "$map `[` $coordinates `]` `to` $buffer attr-dict `:` qualified(type($map)) `to` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Tile_WaitFullOp : Tile_Op<"wait_full"> {
  let summary = "Waits until a stage is full";
  let description = [{
    Example:
    ```mlir
    tile.wait_full %full[%i] : !tile.pipeline<stages = 4, consumers = 8>
    ```
  }];
  let arguments = (ins Tile_PipelineType:$pipeline, Arg<Index, "counts fillings from 0">:$index);
  let assemblyFormat = "$pipeline `[` $index `]` attr-dict `:` qualified(type($pipeline))";
}

def Tile_ReleaseOp : Tile_Op<"release"> {
  let summary = "This warp no longer reads a stage";
  let description = [{
    Example:
    ```mlir
    tile.release %full[%i] : !tile.pipeline<stages = 4, consumers = 8>
    ```
  }];
  let arguments = (ins Tile_PipelineType:$pipeline, Arg<Index, "counts fillings from 0">:$index);
  let assemblyFormat = "$pipeline `[` $index `]` attr-dict `:` qualified(type($pipeline))";
}

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "A barrier with a number, of some of the warps";
  let description = [{
    `sync`: waits until `warps` warps have come; `arrive`: comes and does not wait. Number 0 is the block's own.

    Example:
    ```mlir
    tile.barrier sync %number {warps = 4 : i64}
    ```
  }];
  let arguments = (ins StrAttr:$kind, Arg<Index, "1 to 15">:$number, I64Attr:$warps);
  let assemblyFormat = "custom<Word>($kind) $number attr-dict";
  let hasVerifier = 1;
}

def Tile_StoreTensorOp : Tile_Op<"store_tensor"> {
  let summary = "Shared memory to a box of a tensor (TMA)";
  let description = [{
    By the `warps` of the group: what they wrote to the buffer is made visible to the copy, they meet at barrier `number`,
    one thread starts the copies, one for each panel, and waits until the buffer has been read. What is outside of the
    tensor is not written.

    Example:
    ```mlir
    tile.store_tensor %staged to %map[%n, %m] at %number {warps = 4 : i64} : !tile.buffer<64x64xbf16, swizzle = 128> to !llvm.ptr
    ```
  }];
  let arguments = (ins Arg<Tile_BufferType, "one stage", [MemRead]>:$buffer, Arg<Tile_TensorMap, "", [MemWrite]>:$map,
                       Variadic<Index>:$coordinates, Arg<Index, "of the barrier">:$number, I64Attr:$warps);
  let assemblyFormat = [{
    $buffer `to` $map `[` $coordinates `]` `at` $number attr-dict `:` qualified(type($buffer)) `to` qualified(type($map))
  }];
  let hasVerifier = 1;
}

#endif // WEFT_DIALECTS_TILE_ROLEOPS_TD
