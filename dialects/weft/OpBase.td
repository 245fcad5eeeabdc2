// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What all weft ops share.
#ifndef WEFT_DIALECTS_WEFT_OPBASE_TD
#define WEFT_DIALECTS_WEFT_OPBASE_TD

include "dialects/weft/WeftAttrs.td"
include "dialects/weft/WeftInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

class Weft_Op<string mnemonic, list<Trait> traits = []> : Op<Weft_Dialect, mnemonic, traits>;

def Weft_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef], "ranked tensor or strided memref", "::mlir::ShapedType">;

/// An op in destination style: pure on tensors, reading and writing its operands on memrefs.
class Weft_StructuredOp<string mnemonic, list<Trait> traits = []>
    : Weft_Op<mnemonic, !listconcat([
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<TilingInterface,
            ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation", "getResultTilePosition",
             "generateResultTileValue", "getIterationDomainTileFromResultTile"]>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<Weft_DecomposableOpInterface>
      ], traits)> {
  let hasVerifier = 1;
  // What follows from destination style alone is the same for all of them (StructuredOp.h, Tile.h).
  let extraClassDefinition = [{
    void $cppClass::getEffects(
        ::llvm::SmallVectorImpl<::mlir::SideEffects::EffectInstance<::mlir::MemoryEffects::Effect>> &effects) {
      ::weft::addOperandEffects(*this, effects);
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      return ::weft::reifyShapesOfInits(*this, builder, shapes);
    }
    ::mlir::FailureOr<::mlir::TilingResult> $cppClass::generateResultTileValue(
        ::mlir::OpBuilder &builder, unsigned result, ::llvm::ArrayRef<::mlir::OpFoldResult> offsets,
        ::llvm::ArrayRef<::mlir::OpFoldResult> sizes) {
      return ::weft::tileForResult(*this, builder, result, {offsets, sizes});
    }
  }];
}

#endif // WEFT_DIALECTS_WEFT_OPBASE_TD
