// A state is read and written in place; a tensor whose old values are needed later is copied first.
// RUN: weft-opt %s --one-shot-bufferize=bufferize-function-boundaries --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @conv_in_place(
// CHECK-SAME: %[[X:.*]]: memref<1x?x8xf32, {{.*}}>, %[[W:.*]]: memref<8x4xf32, {{.*}}>, %[[Y:.*]]: memref<1x?x8xf32, {{.*}}>, %[[S:.*]]: memref<1x3x8xf32, {{.*}}>)
// CHECK-NOT: memref.alloc
// CHECK: weft.causal_conv ins(%[[X]], %[[W]] : {{.*}}) outs(%[[Y]] : {{.*}}) state(%[[S]] : {{.*}})
// CHECK-NOT: memref.copy
func.func @conv_in_place(%x: tensor<1x?x8xf32>, %w: tensor<8x4xf32>, %y: tensor<1x?x8xf32>, %s: tensor<1x3x8xf32>) -> (tensor<1x?x8xf32>, tensor<1x3x8xf32>) {
  %r:2 = weft.causal_conv ins(%x, %w : tensor<1x?x8xf32>, tensor<8x4xf32>) outs(%y : tensor<1x?x8xf32>) state(%s : tensor<1x3x8xf32>) -> tensor<1x?x8xf32>, tensor<1x3x8xf32>
  return %r#0, %r#1 : tensor<1x?x8xf32>, tensor<1x3x8xf32>
}

// CHECK-LABEL: func.func @conv_old_state_is_needed(
// CHECK-SAME: %[[S:[a-z0-9]*]]: memref<1x3x8xf32, {{[^>]*>>}})
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK: memref.copy %[[S]], %[[NEW]]
// CHECK: weft.causal_conv {{.*}} state(%[[NEW]] : {{.*}})
func.func @conv_old_state_is_needed(%x: tensor<1x?x8xf32>, %w: tensor<8x4xf32>, %y: tensor<1x?x8xf32>, %s: tensor<1x3x8xf32>) -> (tensor<1x?x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) {
  %r:2 = weft.causal_conv ins(%x, %w : tensor<1x?x8xf32>, tensor<8x4xf32>) outs(%y : tensor<1x?x8xf32>) state(%s : tensor<1x3x8xf32>) -> tensor<1x?x8xf32>, tensor<1x3x8xf32>
  return %r#0, %r#1, %s : tensor<1x?x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>
}
