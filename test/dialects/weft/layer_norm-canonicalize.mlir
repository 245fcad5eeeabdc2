// RUN: weft-opt %s --canonicalize | FileCheck %s

// An operand of a better known shape is used as it is.
// CHECK-LABEL: @operands_cast
// CHECK: %[[Y:.*]] = weft.layer_norm {{.*}} ins(%{{.*}}, %{{.*}} : tensor<3x8xf32>, tensor<8xf32>) outs(%{{.*}} : tensor<3x8xf32>) -> tensor<3x8xf32>
// CHECK: tensor.cast %[[Y]] : tensor<3x8xf32> to tensor<?x8xf32>
func.func @operands_cast(%x: tensor<3x8xf32>, %scale: tensor<8xf32>, %init: tensor<3x8xf32>) -> tensor<?x8xf32> {
  %0 = tensor.cast %x : tensor<3x8xf32> to tensor<?x8xf32>
  %1 = tensor.cast %init : tensor<3x8xf32> to tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%0, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%1 : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
