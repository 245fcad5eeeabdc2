// RUN: weft-opt %s | weft-opt | FileCheck %s

// CHECK-LABEL: func @parts(
// CHECK: weft.recurrence {indexing_maps = [{{.*}}]} ins(%{{.*}} : tensor<?x?x8xf32>) state(%{{.*}} : tensor<?x?x8xf32>) step {
#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
func.func @parts(%x: tensor<?x?x8xf32>, %s: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %ends = weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t floordiv 4 + 1, b, e)>]}
    ins(%x : tensor<?x?x8xf32>) state(%s : tensor<?x?x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<?x?x8xf32>
  return %ends : tensor<?x?x8xf32>
}

// CHECK-LABEL: func @reverse_parts(
// CHECK: reverse
// CHECK-SAME: outs(%{{.*}} : memref<2x9x8xf32>) state(%{{.*}} : memref<3x2x8xf32>)
func.func @reverse_parts(%x: memref<2x9x8xf32>, %y: memref<2x9x8xf32>, %s: memref<3x2x8xf32>) {
  weft.recurrence {indexing_maps = [#te, #te, affine_map<(b, h, t, n, e) -> (t floordiv 4, b, e)>], reverse}
    ins(%x : memref<2x9x8xf32>) outs(%y : memref<2x9x8xf32>) state(%s : memref<3x2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    }
  return
}
