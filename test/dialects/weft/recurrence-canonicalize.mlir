// RUN: weft-opt %s --canonicalize | FileCheck %s

#te = affine_map<(b, h, t, n, e) -> (t, e)>
#tn = affine_map<(b, h, t, n, e) -> (t, n)>

// CHECK-LABEL: func @unused_input(
// CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[Y:.*]]: tensor<?x8xf32>, %[[E:.*]]: tensor<?x8xf32>
// CHECK: weft.recurrence {indexing_maps = [#{{.*}}, #{{.*}}]} ins(%[[X]] : tensor<?x8xf32>) outs(%[[E]] : tensor<?x8xf32>)
// CHECK: ^bb0(%{{.*}}: f32):
func.func @unused_input(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = weft.recurrence {indexing_maps = [#te, #te, #te]} ins(%x, %y : tensor<?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
       step {
       ^bb0(%v: f32, %unused: f32):
         weft.step value(%v)
       } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// Without %k nothing would say how many n there are.
// CHECK-LABEL: func @negative_only_extent(
// CHECK: ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?x4xf32>)
func.func @negative_only_extent(%x: tensor<?x8xf32>, %k: tensor<?x4xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = weft.recurrence {indexing_maps = [#te, #tn, #te]} ins(%x, %k : tensor<?x8xf32>, tensor<?x4xf32>) outs(%e : tensor<?x8xf32>)
       step {
       ^bb0(%v: f32, %unused: f32):
         weft.step value(%v)
       } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// CHECK-LABEL: func @cast(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>
// CHECK: weft.recurrence {{.*}} ins(%[[X]] : tensor<4x8xf32>)
func.func @cast(%x: tensor<4x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c = tensor.cast %x : tensor<4x8xf32> to tensor<?x8xf32>
  %r = weft.recurrence {indexing_maps = [#te, #te]} ins(%c : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
       step {
       ^bb0(%v: f32):
         weft.step value(%v)
       } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
