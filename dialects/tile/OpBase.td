// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all tile ops share.
#ifndef WEFT_DIALECTS_TILE_OPBASE_TD
#define WEFT_DIALECTS_TILE_OPBASE_TD

include "dialects/tile/TileDialect.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

def Tile_GlobalPointer : Type<And<[LLVM_AnyPointer.predicate,
    CPred<"::llvm::cast<::mlir::LLVM::LLVMPointerType>($_self).getAddressSpace() == 1">]>, "pointer to global memory">;
def Tile_TensorMap : Type<LLVM_AnyPointer.predicate, "pointer to a tensor map">;
def Tile_Factor : AnyTypeOf<[Tile_FragmentType, Tile_BufferType]>;
def Tile_Value : AnyTypeOf<[Tile_FragmentType, Tile_PendingType]>;

#endif // WEFT_DIALECTS_TILE_OPBASE_TD
