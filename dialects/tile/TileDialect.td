// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile dialect: layouts and types.
#ifndef WEFT_DIALECTS_TILE_TILEDIALECT_TD
#define WEFT_DIALECTS_TILE_TILEDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::weft::tile";
  let summary = "What one thread block of a GPU does";
  let description = [{
    Ops of a thread block: copies between global and shared memory that run beside it, products of matrices in registers
    or in shared memory, pipelines of stages with their barriers, warps in roles. A value is a matrix that is spread
    over the registers of a group of warps (`!tile.fragment`) or lies in shared memory (`!tile.buffer`); how, its type
    says, so that layouts that do not fit do not verify. What is still being computed has a type of its own
    (`!tile.pending`), so that nothing can read it too early.

    Ops stand in `scf` loops with `arith` around them. Global memory is a `!llvm.ptr<1>` with extents and a stride.
    The group of warps is the whole block, or, in a role, four warps.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

//===----------------------------------------------------------------------===//
// Layouts of registers
//===----------------------------------------------------------------------===//

class Tile_Attr<string name, string attrMnemonic> : AttrDef<Tile_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Tile_AccumulatorAttr : Tile_Attr<"Accumulator", "accumulator"> {
  let summary = "Sums of matrix instructions: mma m16n8 and wgmma m64nN";
  let description = [{
    The matrix is cut into `rows` × `columns` equal parts, one a warp, row by row; a warp's part is made of 16 × 8 tiles.
    Lane l holds elements (l / 4, 2 (l mod 4) + {0, 1}) and those eight rows below (PTX ISA, "Matrix Fragments for
    mma.m16n8k16" and "wgmma.mma_async: Register Fragments, matrix D").

    Example: `#tile.accumulator<rows = 4, columns = 1>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Tile_OperandAttr : Tile_Attr<"Operand", "operand"> {
  let summary = "A factor of matrix instructions, in registers";
  let description = [{
    The left factor (`side = "a"`, M × K) or the right one (`side = "b"`, K × N) of a product whose result is cut over
    `rows` × `columns` warps; a warp holds what its part of the result needs, so warps beside (a) or below each other (b)
    hold the same. Tiles are 16 × 32 bytes of K (a) or 32 bytes × 8 (b). Lane l holds words of 32 bits that are
    neighbours along K: of row l / 4 and word l mod 4, of eight rows below (a), and of four words on.

    Example: `#tile.operand<side = "a", rows = 4, columns = 1>`
  }];
  let parameters = (ins StringRefParameter<"a or b">:$side, "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` `side` `=` $side `,` `rows` `=` $rows `,` `columns` `=` $columns `>`";
  let genVerifyDecl = 1;
}

def Tile_RowValuesAttr : Tile_Attr<"RowValues", "row_values"> {
  let summary = "One number for each row of an accumulator";
  let description = [{
    Every lane holds the numbers of the rows it has elements of. Four lanes share a row: they hold the same number, or,
    `partial`, numbers which are still to be combined (`tile.combine`).

    Example: `#tile.row_values<rows = 4, columns = 1>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, DefaultValuedParameter<"bool", "false">:$partial);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Tile_ColumnValuesAttr : Tile_Attr<"ColumnValues", "column_values"> {
  let summary = "One number for each column of an accumulator";
  let description = [{
    Every lane holds the numbers of the columns it has elements of; the eight lanes that share columns hold the same.

    Example: `#tile.column_values<rows = 4, columns = 1>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

class Tile_Type<string name, string typeMnemonic> : TypeDef<Tile_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Tile_FragmentType : Tile_Type<"Fragment", "fragment"> {
  let summary = "Numbers spread over the registers of a group of warps";
  let description = [{
    A matrix in an accumulator's or an operand's layout, or a vector in the layout of row or column values. Elements of 16
    and 8 bits lie packed in 32-bit registers.

    Example: `!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>`
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$element, "::mlir::Attribute":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Tile_PendingType : Tile_Type<"Pending", "pending"> {
  let summary = "A fragment that asynchronous matrix instructions are still writing";
  let description = [{
    Only further groups of instructions may take it, and `tile.wait_products`, which gives the fragment.

    Example: `!tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>`
  }];
  let parameters = (ins "FragmentType":$fragment);
  let assemblyFormat = "`<` $fragment `>`";
}

def Tile_BufferType : Tile_Type<"Buffer", "buffer"> {
  let summary = "A matrix in shared memory, or a ring of them";
  let description = [{
    `stages` matrices of rows × columns elements. A swizzle of 32, 64 or 128 bytes cuts a matrix into panels of so many
    bytes of columns, each panel `pitch` rows high (the rows of the buffer that this is a part of; absent: its own rows),
    and exchanges 16-byte chunks within a row as TMA and wgmma do, so that columns of chunks are read without conflicts of
    banks. Without a swizzle rows follow each other.

    Example: `!tile.buffer<128x64xbf16, swizzle = 128, stages = 4>`
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$element, "int64_t":$swizzle,
                        "int64_t":$stages, "int64_t":$pitch);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let builders = [TypeBuilderWithInferredContext<(ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$element,
                                                      "int64_t":$swizzle, CArg<"int64_t", "1">:$stages), [{
    return $_get(element.getContext(), rows, columns, element, swizzle, stages, rows);
  }]>];
  let extraClassDeclaration = [{
    int64_t elementBytes() const { return getElement().getIntOrFloatBitWidth() / 8; }
    /// Bytes of a row of a panel.
    int64_t rowBytes() const { return getSwizzle() ? getSwizzle() : getColumns() * elementBytes(); }
    int64_t panels() const { return getColumns() * elementBytes() / rowBytes(); }
    int64_t panelBytes() const { return getPitch() * rowBytes(); }
    /// Bytes of one stage.
    int64_t stageBytes() const { return panels() * panelBytes(); }
    /// What the buffer's address is a multiple of: the pattern of the swizzle repeats so often.
    int64_t alignment() const { return getSwizzle() ? 8 * getSwizzle() : 16; }
  }];
}

def Tile_PipelineType : Tile_Type<"Pipeline", "pipeline"> {
  let summary = "Barriers of a ring of stages";
  let description = [{
    For each of `stages` stages a barrier that says that it is full and one that says that it is empty. A stage is empty
    when `consumers` warps have released it.

    Example: `!tile.pipeline<stages = 4, consumers = 8>`
  }];
  let parameters = (ins "int64_t":$stages, "int64_t":$consumers);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // WEFT_DIALECTS_TILE_TILEDIALECT_TD
