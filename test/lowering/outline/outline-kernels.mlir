// RUN: weft-opt %s --split-input-file --weft-outline-kernels | FileCheck %s

// Two layers that differ in their weights only share one function; the second writes the output argument itself.
// CHECK: module attributes {weft.parameters = [
// CHECK-SAME: {name = "0.scale", sources = ["0.scale"], type = tensor<8xf32>},
// CHECK-SAME: {name = "1.scale", sources = ["1.scale"], type = tensor<8xf32>}]}
// CHECK-LABEL: func.func @layers
// CHECK-SAME: (%[[X:.*]]: memref<?x8xf32> {weft.dims = ["n", ""], weft.name = "x"},
// CHECK-SAME: %[[Y:.*]]: memref<?x8xf32> {weft.dims = ["n", ""], weft.name = "y", weft.output}) attributes {weft.entry}
// CHECK: %[[N:.*]] = memref.dim %[[X]]
// CHECK: %[[S0:.*]] = weft.parameter "0.scale" : memref<8xf32>
// CHECK: %[[S1:.*]] = weft.parameter "1.scale" : memref<8xf32>
// CHECK: %[[H:.*]] = memref.alloc(%[[N]])
// CHECK: call @kernel_norm_0(%[[X]], %[[S0]], %[[H]])
// CHECK: call @kernel_norm_0(%[[H]], %[[S1]], %[[Y]])
// CHECK-NEXT: return
// CHECK: func.func private @kernel_norm_0(%[[KX:.*]]: memref<?x8xf32>, %[[KS:.*]]: memref<8xf32>, %[[KY:.*]]: memref<?x8xf32>) attributes {weft.kernel = "norm"}
// CHECK: %[[TX:.*]] = bufferization.to_tensor %[[KX]] restrict :
// CHECK: %[[TS:.*]] = bufferization.to_tensor %[[KS]] restrict :
// CHECK: %[[TY:.*]] = bufferization.to_tensor %[[KY]] restrict writable :
// CHECK: %[[R:.*]] = weft.layer_norm {{.*}} ins(%[[TX]], %[[TS]] : {{.*}}) outs(%[[TY]] :
// CHECK: bufferization.materialize_in_destination %[[R]] in restrict writable %[[KY]]
// CHECK-NOT: func.func
func.func @layers(%x: tensor<?x8xf32> {weft.name = "x", weft.dims = ["n", ""]})
    -> (tensor<?x8xf32> {weft.name = "y", weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %s0 = weft.parameter "0.scale" : tensor<8xf32>
  %s1 = weft.parameter "1.scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %h = weft.kernel "norm"(%x, %s0, %empty : tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%kx: tensor<?x8xf32>, %ks: tensor<8xf32>, %out: tensor<?x8xf32>):
    %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%kx, %ks : tensor<?x8xf32>, tensor<8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
    weft.yield %r : tensor<?x8xf32>
  }
  %y = weft.kernel "norm"(%h, %s1, %empty : tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%kx: tensor<?x8xf32>, %ks: tensor<8xf32>, %out: tensor<?x8xf32>):
    %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%kx, %ks : tensor<?x8xf32>, tensor<8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
    weft.yield %r : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// -----

// The output argument has another shape than the kernel's result: the kernel sees it in its own.
// CHECK-LABEL: func.func @output_expanded
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<?x?x8xf32> {weft.output})
// CHECK: %[[VIEW:.*]] = memref.collapse_shape %[[Y]] {{\[\[}}0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
// CHECK-NOT: memref.alloc
// CHECK: call @kernel_norm_0(%{{.*}}, %{{.*}}, %[[VIEW]])
func.func @output_expanded(%x: tensor<?x8xf32>, %b: index, %s: index, %n: index) -> tensor<?x?x8xf32> attributes {weft.entry} {
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %h = weft.kernel "norm"(%x, %scale, %empty : tensor<?x8xf32>, tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%kx: tensor<?x8xf32>, %ks: tensor<8xf32>, %out: tensor<?x8xf32>):
    %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%kx, %ks : tensor<?x8xf32>, tensor<8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
    weft.yield %r : tensor<?x8xf32>
  }
  %y = tensor.expand_shape %h [[0, 1], [2]] output_shape [%b, %s, 8] : tensor<?x8xf32> into tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// Another epsilon is another kernel.
// CHECK-LABEL: func.func @negative_kernels_differ
// CHECK: call @kernel_norm_0
// CHECK: call @kernel_norm_1
func.func @negative_kernels_differ(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) attributes {weft.entry} {
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty() : tensor<4x8xf32>
  %y = weft.kernel "norm"(%x, %scale, %empty : tensor<4x8xf32>, tensor<8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32> {
  ^bb0(%kx: tensor<4x8xf32>, %ks: tensor<8xf32>, %out: tensor<4x8xf32>):
    %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%kx, %ks : tensor<4x8xf32>, tensor<8xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
    weft.yield %r : tensor<4x8xf32>
  }
  %z = weft.kernel "norm"(%x, %scale, %empty : tensor<4x8xf32>, tensor<8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32> {
  ^bb0(%kx: tensor<4x8xf32>, %ks: tensor<8xf32>, %out: tensor<4x8xf32>):
    %r = weft.layer_norm {epsilon = 1.0 : f32} ins(%kx, %ks : tensor<4x8xf32>, tensor<8xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
    weft.yield %r : tensor<4x8xf32>
  }
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}
