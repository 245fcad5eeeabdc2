// RUN: weft-opt %s --split-input-file --weft-normalize-attention | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.dtype = bf16} {
// CHECK-LABEL: @rounded
// CHECK: weft.attention {{.*}}product_type = bf16
func.func @rounded(%q: tensor<1x2x?x4xf32>, %k: tensor<1x2x?x4xf32>, %o: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
    outs(%o : tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %y : tensor<1x2x?x4xf32>
}
}

// -----

// There are no faster products of f16.
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.dtype = f16} {
// CHECK-LABEL: @kept
// CHECK-NOT: product_type
func.func @kept(%q: tensor<1x2x?x4xf32>, %k: tensor<1x2x?x4xf32>, %o: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
    outs(%o : tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %y : tensor<1x2x?x4xf32>
}
}
