// Products on Hopper as machine code: no register is spilled, and the next rows are on their way while products run.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-blocks-phase --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/all.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/all %t/all.mlir
// RUN: %ptxas-gate --check %s %t/all/any.ptx %t/all/any_some.ptx %t/all/any_few.ptx

// GATE: any registers 168 shared 131136 stack 0
// GATE: any_some registers 80 shared 49248 stack 0
// GATE: any_few registers 128 shared 49248 stack 0
// SASS: any loop[HGMMA] keep[LDG HGMMA WARPGROUP.DEPBAR]: HGMMA LDG+ HGMMA LDG+ HGMMA{2} WARPGROUP.DEPBAR
// SASS: any_few loop[HGMMA] keep[LDG WARPGROUP.DEPBAR]: LDG{32} WARPGROUP.DEPBAR
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
module attributes {weft.target = #target} {
func.func private @any(%x: memref<?x256xf32>, %w: memref<2048x128x2xbf16>, %y: memref<?x2048xf32>, %n: index) attributes {weft.kernel = "linear"} {
  scf.forall (%i, %j) = (0, 0) to (%n, 2048) step (128, 256) {
    %m = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 128)>(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 256] [1, 1] : memref<?x256xf32> to memref<?x256xf32, strided<[256, 1], offset: ?>>
    %wj = memref.subview %w[%j, 0, 0] [256, 128, 2] [1, 1, 1] : memref<2048x128x2xbf16> to memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>
    %yi = memref.subview %y[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf32> to memref<?x256xf32, strided<[2048, 1], offset: ?>>
    weft.packed_matmul ins(%xi, %wj : memref<?x256xf32, strided<[256, 1], offset: ?>>, memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>) outs(%yi : memref<?x256xf32, strided<[2048, 1], offset: ?>>)
  }
  return
}
}
