// Attention of one query to keys in pages becomes a function for a block of threads: the table's entry of a key's page, at most
// the last page, says where its row is.
// RUN: weft-opt %s --weft-block-decode --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#t = affine_map<(b, h, i, j, d, e) -> (b, j floordiv 16)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @pages(
// CHECK: gpu.launch_func @kernels::@pages blocks in (%{{.*}}, %c1, %c1) threads in (%c128, %c1, %c1)
// CHECK: func.func @pages
// All keys that the table has room for, if none is hidden.
// CHECK: %[[KEYS:.*]] = arith.muli %{{.*}}, %c16
// CHECK: scf.for %{{.*}} = %c0 to %[[KEYS]] step %c256
// CHECK: scf.for %{{.*}} step %c64
// CHECK: %[[COLUMN:.*]] = arith.divui %[[KEY:.*]], %c16
// CHECK: %[[ENTRY:.*]] = memref.load %{{.*}}[%c0, %[[COLUMN]]] : memref<1x?xi64,
// CHECK: %[[NUMBER:.*]] = arith.index_cast %[[ENTRY]] : i64 to index
// CHECK: arith.minui %[[NUMBER]]
// CHECK: arith.remui %[[KEY]], %c16
// CHECK: llvm.load %{{.*}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
func.func private @pages(%q: memref<?x6x1x64xf32>, %k: memref<?x16x3x64xbf16>, %v: memref<?x16x3x64xbf16>, %t: memref<?x?xi64>, %o: memref<?x6x1x64xf32>, %n: index, %pages: index, %blocks: index) attributes {weft.kernel = "attention"} {
  scf.forall (%i, %j) = (0, 0) to (%n, 6) step (1, 2) {
    %g = affine.apply affine_map<(d0) -> (d0 floordiv 2)>(%j)
    %qi = memref.subview %q[%i, %j, 0, 0] [1, 2, 1, 64] [1, 1, 1, 1] : memref<?x6x1x64xf32> to memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>
    %ki = memref.subview %k[0, 0, %g, 0] [%pages, 16, 1, 64] [1, 1, 1, 1] : memref<?x16x3x64xbf16> to memref<?x16x1x64xbf16, strided<[3072, 192, 64, 1], offset: ?>>
    %vi = memref.subview %v[0, 0, %g, 0] [%pages, 16, 1, 64] [1, 1, 1, 1] : memref<?x16x3x64xbf16> to memref<?x16x1x64xbf16, strided<[3072, 192, 64, 1], offset: ?>>
    %ti = memref.subview %t[%i, 0] [1, %blocks] [1, 1] : memref<?x?xi64> to memref<1x?xi64, strided<[?, 1], offset: ?>>
    %oi = memref.subview %o[%i, %j, 0, 0] [1, 2, 1, 64] [1, 1, 1, 1] : memref<?x6x1x64xf32> to memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>
    weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #t, #o]}
      ins(%qi, %ki, %vi : memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>, memref<?x16x1x64xbf16, strided<[3072, 192, 64, 1], offset: ?>>, memref<?x16x1x64xbf16, strided<[3072, 192, 64, 1], offset: ?>>)
      table(%ti : memref<1x?xi64, strided<[?, 1], offset: ?>>)
      outs(%oi : memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>)
  }
  return
}
}
