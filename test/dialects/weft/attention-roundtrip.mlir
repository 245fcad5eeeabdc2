// RUN: weft-opt %s --split-input-file --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @padding_mask
// CHECK: weft.attention
// CHECK-SAME: outs(%{{.*}} : tensor<?x?x2x4xf32>) mask {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i64):
// CHECK: weft.yield %{{.*}} : i1
// CHECK-NEXT: } -> tensor<?x?x2x4xf32>
func.func @padding_mask(%q: tensor<?x?x2x4xf32>, %k: tensor<?x?x2x4xf32>, %v: tensor<?x?x2x4xf32>, %m: tensor<?x?xi64>, %init: tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, j)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v, %m : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?xi64>)
       outs(%init : tensor<?x?x2x4xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
         %zero = arith.constant 0 : i64
         %visible = arith.cmpi ne, %p, %zero : i64
         weft.yield %visible : i1
       } -> tensor<?x?x2x4xf32>
  return %o : tensor<?x?x2x4xf32>
}

// -----

// Grouped heads, keys shared by the batch, f16 inputs, log-sum-exp.
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (h floordiv 4, d, j)>
#v = affine_map<(b, h, i, j, d, e) -> (h floordiv 4, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (i, b, h)>
// CHECK-LABEL: @grouped_heads
// CHECK: outs(%{{.*}}, %{{.*}} : tensor<?x8x?x16xf16>, tensor<?x?x8xf32>) score {
// CHECK: } -> tensor<?x8x?x16xf16>, tensor<?x?x8xf32>
func.func @grouped_heads(%q: tensor<?x8x?x4xf16>, %k: tensor<2x4x?xf16>, %v: tensor<2x?x16xf16>, %init: tensor<?x8x?x16xf16>, %l: tensor<?x?x8xf32>) -> (tensor<?x8x?x16xf16>, tensor<?x?x8xf32>) {
  %o:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
       ins(%q, %k, %v : tensor<?x8x?x4xf16>, tensor<2x4x?xf16>, tensor<2x?x16xf16>)
       outs(%init, %l : tensor<?x8x?x16xf16>, tensor<?x?x8xf32>)
       score {
       ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
         %capped = math.tanh %s : f32
         weft.yield %capped : f32
       } -> tensor<?x8x?x16xf16>, tensor<?x?x8xf32>
  return %o#0, %o#1 : tensor<?x8x?x16xf16>, tensor<?x?x8xf32>
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
// CHECK-LABEL: @memrefs
// CHECK: outs(%{{.*}} : memref<?x?x?x?xf32>){{$}}
func.func @memrefs(%q: memref<?x?x?x?xf32>, %init: memref<?x?x?x?xf32>) {
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<?x?x?x?xf32>, memref<?x?x?x?xf32>, memref<?x?x?x?xf32>) outs(%init : memref<?x?x?x?xf32>)
  return
}

// -----

// 8-bit keys and values, with a factor each.
// CHECK-LABEL: @integers
// CHECK: key_scale(%{{.*}} : tensor<?x2x?xf32>) value_scale(%{{.*}} : tensor<?x2x?xf32>) outs(%{{.*}} : tensor<?x8x1x4xf32>) -> tensor<?x8x1x4xf32>
func.func @integers(%q: tensor<?x8x1x4xf32>, %k: tensor<?x2x?x4xi8>, %v: tensor<?x2x?x4xi8>, %ks: tensor<?x2x?xf32>, %vs: tensor<?x2x?xf32>, %init: tensor<?x8x1x4xf32>) -> tensor<?x8x1x4xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>,
         affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>]}
       ins(%q, %k, %v : tensor<?x8x1x4xf32>, tensor<?x2x?x4xi8>, tensor<?x2x?x4xi8>)
       key_scale(%ks : tensor<?x2x?xf32>) value_scale(%vs : tensor<?x2x?xf32>)
       outs(%init : tensor<?x8x1x4xf32>) -> tensor<?x8x1x4xf32>
  return %o : tensor<?x8x1x4xf32>
}
