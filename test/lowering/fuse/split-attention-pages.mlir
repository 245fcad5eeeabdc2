// Keys in pages: a split has whole pages, here the 1008 keys of 21 where 1024 would be a mebibyte; a page longer than that
// is a split.
// RUN: weft-opt %s --weft-split-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>

// CHECK-DAG: #[[PARTS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 1008, d0, d1, d2, d5)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0] -> (s0 ceildiv 21)>
// CHECK-DAG: #[[LONG:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 2048, d0, d1, d2, d5)>

// CHECK-LABEL: @pages
// CHECK-SAME: %[[T:[^:,]*]]: tensor<1x?xi64>
// CHECK: %[[COLUMNS:.*]] = tensor.dim %[[T]], %c1
// CHECK: affine.apply #[[COUNT]]()[%[[COLUMNS]]]
// CHECK: weft.attention {{.*}}#[[PARTS]]{{.*}} table(%[[T]] : tensor<1x?xi64>)
func.func @pages(%q: tensor<1x32x1x128xf32>, %k: tensor<?x8x48x128xf32>, %v: tensor<?x8x48x128xf32>, %t: tensor<1x?xi64>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 48)>, #o]}
    ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<?x8x48x128xf32>, tensor<?x8x48x128xf32>) table(%t : tensor<1x?xi64>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}

// CHECK-LABEL: @long_pages
// CHECK: weft.attention {{.*}}#[[LONG]]
func.func @long_pages(%q: tensor<1x32x1x128xf32>, %k: tensor<?x8x2048x128xf32>, %v: tensor<?x8x2048x128xf32>, %t: tensor<1x?xi64>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 2048)>, #o]}
    ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<?x8x2048x128xf32>, tensor<?x8x2048x128xf32>) table(%t : tensor<1x?xi64>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}
