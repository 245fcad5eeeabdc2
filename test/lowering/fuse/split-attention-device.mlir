// For a GPU splits are what 64 KiB of keys and values hold, 64 to 256 keys of one head, wherever the heads lie.
// RUN: weft-opt %s --weft-split-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>

// CHECK-DAG: #[[FLOATS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 64, d0, d1, d2, d5)>
// CHECK-DAG: #[[HALVES:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 128, d0, d1, d2, d5)>
module attributes {weft.device} {
// CHECK-LABEL: @floats
// CHECK: weft.attention {{.*}}#[[FLOATS]],
func.func @floats(%q: tensor<1x32x1x128xf32>, %k: tensor<1x?x8x128xf32>, %v: tensor<1x?x8x128xf32>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<1x?x8x128xf32>, tensor<1x?x8x128xf32>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}
// CHECK-LABEL: @halves
// CHECK: weft.attention {{.*}}#[[HALVES]],
func.func @halves(%q: tensor<1x32x1x128xf32>, %k: tensor<1x?x8x128xbf16>, %v: tensor<1x?x8x128xbf16>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<1x?x8x128xbf16>, tensor<1x?x8x128xbf16>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}
}
