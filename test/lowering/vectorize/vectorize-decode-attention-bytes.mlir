// RUN: weft-opt %s --split-input-file --weft-vectorize-decode-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Sixteen keys are a tile, read where they lie; four rows in three digits each are twelve columns of the other.
// CHECK-LABEL: @tiles
// CHECK-SAME: %[[K:[^:]*]]: memref<1x?x2x64xi8>
// CHECK: memref.subview %[[K]]
// CHECK-SAME: to memref<?x64xi8, strided<[128, 1], offset: ?>>
// CHECK: amx.tile_load {{.*}} into !amx.tile<16x64xi8>
// CHECK: amx.tile_muli {{.*}} !amx.tile<16x64xi8>, !amx.tile<16x64xi8>, !amx.tile<16x16xi32>
// The digits of weights are twelve rows.
// CHECK: amx.tile_muli {{.*}} !amx.tile<12x64xi8>, !amx.tile<16x64xi8>, !amx.tile<12x16xi32>
// CHECK-NOT: weft.attention
func.func @tiles(%q: memref<1x8x1x64xf32>, %k: memref<1x?x2x64xi8>, %v: memref<1x?x2x64xi8>, %o: memref<1x8x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x8x1x64xf32>, memref<1x?x2x64xi8>, memref<1x?x2x64xi8>) outs(%o : memref<1x8x1x64xf32>)
  return
}

// No whole tile: in vectors.
// CHECK-LABEL: @narrow
// CHECK-NOT: amx
// CHECK: arith.sitofp %{{.*}} : vector<16xi8> to vector<16xf32>
func.func @narrow(%q: memref<1x8x1x32xf32>, %k: memref<1x?x2x32xi8>, %v: memref<1x?x2x32xi8>, %o: memref<1x8x1x32xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x8x1x32xf32>, memref<1x?x2x32xi8>, memref<1x?x2x32xi8>) outs(%o : memref<1x8x1x32xf32>)
  return
}
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// One row keeps up with memory in vectors.
// CHECK-LABEL: @one_row
// CHECK-NOT: amx
// CHECK: arith.sitofp %{{.*}} : vector<16xi8> to vector<16xf32>
func.func @one_row(%q: memref<1x2x1x64xf32>, %k: memref<1x2x?x64xi8>, %v: memref<1x2x?x64xi8>, %o: memref<1x2x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x2x1x64xf32>, memref<1x2x?x64xi8>, memref<1x2x?x64xi8>) outs(%o : memref<1x2x1x64xf32>)
  return
}
}
