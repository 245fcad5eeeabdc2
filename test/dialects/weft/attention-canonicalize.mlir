// RUN: weft-opt %s --canonicalize --split-input-file | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
// CHECK-LABEL: @mask_that_hides_nothing
// CHECK: weft.attention
// CHECK-NOT: mask
func.func @mask_that_hides_nothing(%q: tensor<1x2x?x4xf32>, %init: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
       ins(%q, %q, %q : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%init : tensor<1x2x?x4xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index):
         %true = arith.constant true
         weft.yield %true : i1
       } -> tensor<1x2x?x4xf32>
  return %o : tensor<1x2x?x4xf32>
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
// CHECK-LABEL: @score_that_changes_nothing
// CHECK: weft.attention
// CHECK-NOT: score
func.func @score_that_changes_nothing(%q: tensor<1x2x?x4xf32>, %init: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
       ins(%q, %q, %q : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) outs(%init : tensor<1x2x?x4xf32>)
       score {
       ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
         weft.yield %s : f32
       } -> tensor<1x2x?x4xf32>
  return %o : tensor<1x2x?x4xf32>
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
// CHECK-LABEL: @extra_that_no_region_uses
// CHECK-SAME: (%[[Q:.*]]: tensor<1x2x?x4xf32>, %{{.*}}: tensor<1x?xi1>, %[[M:.*]]: tensor<1x?xi1>,
// CHECK: ins(%[[Q]], %[[Q]], %[[Q]], %[[M]] : {{.*}}, tensor<1x?xi1>)
// CHECK: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[P:.*]]: i1):
// CHECK-NEXT: weft.yield %[[P]]
func.func @extra_that_no_region_uses(%q: tensor<1x2x?x4xf32>, %u: tensor<1x?xi1>, %m: tensor<1x?xi1>, %init: tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #m, #o]}
       ins(%q, %q, %q, %u, %m : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x?xi1>, tensor<1x?xi1>)
       outs(%init : tensor<1x2x?x4xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %x: i1, %p: i1):
         weft.yield %p : i1
       } -> tensor<1x2x?x4xf32>
  return %o : tensor<1x2x?x4xf32>
}
