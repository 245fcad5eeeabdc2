// A state that an op reads and writes: copied into its destination within the kernel, unless it begins as zeros.
// RUN: weft-opt %s --weft-fuse-kernels | FileCheck %s

// CHECK-LABEL: func.func @carried
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<2x3x8xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x3x8xf32>
// CHECK: weft.kernel "conv"(%{{.*}}, %[[S]], %{{.*}}, %[[E]] : {{.*}}) -> tensor<2x5x8xf32>, tensor<2x3x8xf32>
// CHECK: ^bb0({{.*}}, %[[IN:.*]]: tensor<2x3x8xf32>, %[[Y:.*]]: tensor<2x5x8xf32>, %[[OUT:.*]]: tensor<2x3x8xf32>):
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[IN]] : {{.*}}) outs(%[[OUT]] : {{.*}})
// CHECK: %[[R:.*]]:2 = weft.causal_conv {{.*}} outs(%[[Y]] : {{.*}}) state(%[[COPY]] : {{.*}})
// CHECK: weft.yield %[[R]]#0, %[[R]]#1
func.func @carried(%x: tensor<2x5x8xf32> {weft.name = "x", weft.dims = ["", "", ""]}, %w: tensor<8x4xf32> {weft.name = "w", weft.dims = ["", ""]},
                   %s: tensor<2x3x8xf32> {weft.name = "s", weft.dims = ["", "", ""]})
    -> (tensor<2x5x8xf32> {weft.name = "y", weft.dims = ["", "", ""]}, tensor<2x3x8xf32> {weft.name = "n", weft.dims = ["", "", ""]}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<2x5x8xf32>
  %r:2 = weft.causal_conv ins(%x, %w : tensor<2x5x8xf32>, tensor<8x4xf32>) outs(%e : tensor<2x5x8xf32>) state(%s : tensor<2x3x8xf32>) -> tensor<2x5x8xf32>, tensor<2x3x8xf32>
  return %r#0, %r#1 : tensor<2x5x8xf32>, tensor<2x3x8xf32>
}

// CHECK-LABEL: func.func @from_zero
// CHECK: ^bb0({{.*}}, %[[OUT:.*]]: tensor<2x3x8xf32>):
// CHECK-NOT: linalg.copy
// CHECK: %[[FILL:.*]] = linalg.fill ins(%{{.*}}) outs(%[[OUT]] : {{.*}})
// CHECK: weft.causal_conv {{.*}} state(%[[FILL]] : {{.*}})
func.func @from_zero(%x: tensor<2x5x8xf32> {weft.name = "x", weft.dims = ["", "", ""]}, %w: tensor<8x4xf32> {weft.name = "w", weft.dims = ["", ""]})
    -> (tensor<2x5x8xf32> {weft.name = "y", weft.dims = ["", "", ""]}, tensor<2x3x8xf32> {weft.name = "n", weft.dims = ["", "", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x5x8xf32>
  %n = tensor.empty() : tensor<2x3x8xf32>
  %s = linalg.fill ins(%zero : f32) outs(%n : tensor<2x3x8xf32>) -> tensor<2x3x8xf32>
  %r:2 = weft.causal_conv ins(%x, %w : tensor<2x5x8xf32>, tensor<8x4xf32>) outs(%e : tensor<2x5x8xf32>) state(%s : tensor<2x3x8xf32>) -> tensor<2x5x8xf32>, tensor<2x3x8xf32>
  return %r#0, %r#1 : tensor<2x5x8xf32>, tensor<2x3x8xf32>
}
