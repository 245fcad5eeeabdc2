// RUN: weft-opt %s --split-input-file --weft-round-attention | FileCheck %s

// What computes queries stores them rounded, behind their other shape; inputs stay, and then nothing is rounded.
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.device, weft.dtype = bf16} {
// CHECK-LABEL: @computed
// CHECK: %[[SUM:.*]] = linalg.add
// CHECK: %[[HALF:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<1x?x8xf32>) outs(%{{.*}} : tensor<1x?x8xbf16>)
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: %[[Q:.*]] = tensor.expand_shape %[[HALF]] {{.*}} : tensor<1x?x8xbf16> into tensor<1x?x2x4xbf16>
// CHECK: weft.attention {{.*}} ins(%[[Q]], %{{.*}}, %{{.*}} : tensor<1x?x2x4xbf16>, tensor<1x?x2x4xbf16>, tensor<1x?x2x4xbf16>) outs(%{{.*}} : tensor<1x?x2x4xf32>)
func.func @computed(%x: tensor<1x?x8xf32>, %i: tensor<1x?x8xf32>, %o: tensor<1x?x2x4xf32>, %n: index) -> tensor<1x?x2x4xf32> {
  %a = linalg.add ins(%x, %x : tensor<1x?x8xf32>, tensor<1x?x8xf32>) outs(%i : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %q = tensor.expand_shape %a [[0], [1], [2, 3]] output_shape [1, %n, 2, 4] : tensor<1x?x8xf32> into tensor<1x?x2x4xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>)
    outs(%o : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  return %y : tensor<1x?x2x4xf32>
}

// CHECK-LABEL: @given
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @given(%k: tensor<1x?x2x4xf32>, %i: tensor<1x?x2x4xf32>, %o: tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32> {
  %q = linalg.add ins(%k, %k : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>) outs(%i : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %q : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>)
    outs(%o : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  return %y : tensor<1x?x2x4xf32>
}
}

// -----
// CPUs round while they pack for their tiles.
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.dtype = bf16} {
// CHECK-LABEL: @processor
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @processor(%k: tensor<1x?x2x4xf32>, %i: tensor<1x?x2x4xf32>, %o: tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32> {
  %q = linalg.add ins(%k, %k : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>) outs(%i : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  %y = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>)
    outs(%o : tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  return %y : tensor<1x?x2x4xf32>
}
}
