// RUN: weft-opt %s --weft-decompose-ops | FileCheck %s

// A mean, a variance and an elementwise op over one row.
// CHECK-LABEL: @layer_norm
// CHECK-SAME: (%[[X:.*]]: tensor<1x8xf32>, %[[SCALE:.*]]: tensor<8xf32>, %[[BIAS:.*]]: tensor<8xf32>, %[[INIT:.*]]: tensor<1x8xf32>)
// CHECK-NOT: weft.layer_norm
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]{{.*}} outs(%[[INIT]] : tensor<1x8xf32>)
// CHECK: return %[[Y]]
func.func @layer_norm(%x: tensor<1x8xf32>, %scale: tensor<8xf32>, %bias: tensor<8xf32>, %init: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale, %bias : tensor<1x8xf32>, tensor<8xf32>, tensor<8xf32>)
       outs(%init : tensor<1x8xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// These have a lowering of their own.
// CHECK-LABEL: @negative_own_lowering
// CHECK: weft.embedding
// CHECK: weft.packed_matmul
func.func @negative_own_lowering(%ids: tensor<1xi64>, %table: tensor<10x8xf32>, %w: tensor<1x8x16xf32>, %h: tensor<1x8xf32>, %init: tensor<1x16xf32>) -> tensor<1x16xf32> {
  %x = weft.embedding ins(%ids, %table : tensor<1xi64>, tensor<10x8xf32>) outs(%h : tensor<1x8xf32>) -> tensor<1x8xf32>
  %y = weft.packed_matmul ins(%x, %w : tensor<1x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<1x16xf32>) -> tensor<1x16xf32>
  return %y : tensor<1x16xf32>
}
