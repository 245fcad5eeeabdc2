// Products on Hopper as machine code: no register is spilled, and the next rows are on their way while products run.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-blocks-phase --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/all.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/all %t/all.mlir
// RUN: %ptxas-gate --check %s %t/all/any.ptx %t/all/any_some.ptx %t/all/any_few.ptx \
// RUN:   %t/all/epilogue.ptx %t/all/epilogue_some.ptx %t/all/epilogue_few.ptx

// GATE: any registers 168 shared 131136 stack 0
// GATE: any_some registers 80 shared 49248 stack 0
// GATE: any_few registers 128 shared 49248 stack 0
// GATE: epilogue registers 168 shared 131136 stack 0
// GATE: epilogue_some registers 80 shared 49248 stack 0
// GATE: epilogue_few registers 128 shared 49248 stack 0
// SASS: any loop[HGMMA] keep[LDG HGMMA WARPGROUP.DEPBAR]: HGMMA LDG+ HGMMA LDG+ HGMMA{2} WARPGROUP.DEPBAR
// SASS: any_few loop[HGMMA] keep[LDG WARPGROUP.DEPBAR]: LDG{32} WARPGROUP.DEPBAR
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
#id = affine_map<(m, n) -> (m, n)>
#rest = affine_map<(d0)[s0] -> (-d0 + s0, 128)>
module attributes {weft.target = #target} {
func.func private @any(%x: memref<?x256xf32>, %w: memref<2048x128x2xbf16>, %y: memref<?x2048xf32>, %n: index) attributes {weft.kernel = "linear"} {
  scf.forall (%i, %j) = (0, 0) to (%n, 2048) step (128, 256) {
    %m = affine.min #rest(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 256] [1, 1] : memref<?x256xf32> to memref<?x256xf32, strided<[256, 1], offset: ?>>
    %wj = memref.subview %w[%j, 0, 0] [256, 128, 2] [1, 1, 1] : memref<2048x128x2xbf16> to memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>
    %yi = memref.subview %y[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf32> to memref<?x256xf32, strided<[2048, 1], offset: ?>>
    weft.packed_matmul ins(%xi, %wj : memref<?x256xf32, strided<[256, 1], offset: ?>>, memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>) outs(%yi : memref<?x256xf32, strided<[2048, 1], offset: ?>>)
  }
  return
}

// What an epilogue reads has registers beside the sums.
func.func private @epilogue(%x: memref<?x264xf32>, %w: memref<2048x132x2xf16>, %bias: memref<2048xf32>, %z: memref<?x2048xf32>, %v: memref<?x2048xf16>, %row: memref<2048xf32>, %column: memref<?xf32>, %y: memref<?x2048xf16>, %n: index) attributes {weft.kernel = "linear"} {
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) = (0, 0) to (%n, 2048) step (128, 256) {
    %m = affine.min #rest(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 264] [1, 1] : memref<?x264xf32> to memref<?x264xf32, strided<[264, 1], offset: ?>>
    %wj = memref.subview %w[%j, 0, 0] [256, 132, 2] [1, 1, 1] : memref<2048x132x2xf16> to memref<256x132x2xf16, strided<[264, 2, 1], offset: ?>>
    %bj = memref.subview %bias[%j] [256] [1] : memref<2048xf32> to memref<256xf32, strided<[1], offset: ?>>
    %rj = memref.subview %row[%j] [256] [1] : memref<2048xf32> to memref<256xf32, strided<[1], offset: ?>>
    %ci = memref.subview %column[%i] [%m] [1] : memref<?xf32> to memref<?xf32, strided<[1], offset: ?>>
    %zij = memref.subview %z[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf32> to memref<?x256xf32, strided<[2048, 1], offset: ?>>
    %vij = memref.subview %v[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf16> to memref<?x256xf16, strided<[2048, 1], offset: ?>>
    %yij = memref.subview %y[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf16> to memref<?x256xf16, strided<[2048, 1], offset: ?>>
    %scratch = memref.alloca() : memref<131072xi8>
    %sum = memref.view %scratch[%c0][%m] : memref<131072xi8> to memref<?x256xf32>
    weft.packed_matmul ins(%xi, %wj, %bj : memref<?x264xf32, strided<[264, 1], offset: ?>>, memref<256x132x2xf16, strided<[264, 2, 1], offset: ?>>, memref<256xf32, strided<[1], offset: ?>>) outs(%sum : memref<?x256xf32>)
    linalg.generic {indexing_maps = [#id, #id, #id, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m)>, #id], iterator_types = ["parallel", "parallel"]}
        ins(%sum, %zij, %vij, %rj, %ci : memref<?x256xf32>, memref<?x256xf32, strided<[2048, 1], offset: ?>>, memref<?x256xf16, strided<[2048, 1], offset: ?>>, memref<256xf32, strided<[1], offset: ?>>, memref<?xf32, strided<[1], offset: ?>>)
        outs(%yij : memref<?x256xf16, strided<[2048, 1], offset: ?>>) {
    ^bb0(%s: f32, %a: f32, %b: f16, %r: f32, %c: f32, %out: f16):
      %wide = arith.extf %b : f16 to f32
      %0 = arith.addf %s, %wide : f32
      %1 = arith.addf %0, %a : f32
      %2 = arith.mulf %1, %r : f32
      %3 = arith.mulf %2, %c : f32
      %4 = math.tanh %3 : f32
      %5 = arith.truncf %4 : f32 to f16
      linalg.yield %5 : f16
    }
  } {weft.first_fastest}
  return
}
}
