// Attention of many queries on Hopper as machine code: no register is spilled, and products run during softmax.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-blocks-phase --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/all.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/all %t/all.mlir
// RUN: %ptxas-gate --check %s %t/all/narrow.ptx %t/all/wide.ptx

// GATE: narrow registers 168 shared 82000 stack 0
// GATE: wide registers 168 shared 163920 stack 0
// Both groups of products are issued, one is awaited, then all of softmax, and only then the other.
// SASS: narrow loop[HGMMA] keep[HGMMA MUFU WARPGROUP.DEPBAR]: HGMMA{12} WARPGROUP.DEPBAR MUFU{66} WARPGROUP.DEPBAR
// SASS: wide loop[HGMMA] keep[HGMMA MUFU WARPGROUP.DEPBAR]: HGMMA{16} WARPGROUP.DEPBAR MUFU{66} WARPGROUP.DEPBAR
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#rest = affine_map<(i)[n] -> (-i + n, 128)>
module attributes {weft.target = #target} {
func.func private @narrow(%q: memref<?x?x4x64xbf16>, %k: memref<?x?x2x64xbf16>, %v: memref<?x?x2x64xbf16>, %o: memref<?x?x4x64xbf16>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 128) {
    %m = affine.min #rest(%i)[%n]
    %g = affine.apply affine_map<(h) -> (h floordiv 2)>(%h)
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %g, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<?x?x2x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %g, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<?x?x2x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>) outs(%o1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
func.func private @wide(%q: memref<?x?x4x128xbf16>, %k: memref<?x?x2x128xbf16>, %v: memref<?x?x2x128xbf16>, %o: memref<?x?x4x128xbf16>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 128) {
    %m = affine.min #rest(%i)[%n]
    %g = affine.apply affine_map<(h) -> (h floordiv 2)>(%h)
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %g, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x2x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 256, 128, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %g, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x2x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 256, 128, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xbf16, strided<[?, 256, 128, 1], offset: ?>>, memref<1x?x1x128xbf16, strided<[?, 256, 128, 1], offset: ?>>) outs(%o1 : memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
}
