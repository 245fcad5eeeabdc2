// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// Mixtral's two of eight.
// CHECK-LABEL: @two_of_eight
// CHECK: weft.route {normalize = "sum", scoring = "softmax"} ins(%{{.*}} : tensor<?x8xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
func.func @two_of_eight(%scores: tensor<?x8xf32>, %e: tensor<?x2xi32>, %w: tensor<?x2xf32>) -> (tensor<?x2xi32>, tensor<?x2xf32>) {
  %experts, %weights = weft.route {scoring = "softmax", normalize = "sum"} ins(%scores : tensor<?x8xf32>)
      outs(%e, %w : tensor<?x2xi32>, tensor<?x2xf32>) -> tensor<?x2xi32>, tensor<?x2xf32>
  return %experts, %weights : tensor<?x2xi32>, tensor<?x2xf32>
}

// DeepSeek-V3's groups and bias.
// CHECK-LABEL: @groups_and_bias
// CHECK: weft.route {group_rank = 2 : i64, groups = 8 : i64, normalize = "sum", scale = 2.500000e+00 : f32, scoring = "sigmoid", top_groups = 4 : i64} ins(%{{.*}}, %{{.*}} : tensor<?x256xf32>, tensor<256xf32>)
func.func @groups_and_bias(%scores: tensor<?x256xf32>, %bias: tensor<256xf32>, %e: tensor<?x8xi32>, %w: tensor<?x8xf32>) -> tensor<?x8xi32> {
  %experts, %weights = weft.route {scoring = "sigmoid", normalize = "sum", scale = 2.5 : f32, groups = 8, top_groups = 4, group_rank = 2}
      ins(%scores, %bias : tensor<?x256xf32>, tensor<256xf32>)
      outs(%e, %w : tensor<?x8xi32>, tensor<?x8xf32>) -> tensor<?x8xi32>, tensor<?x8xf32>
  return %experts : tensor<?x8xi32>
}

// What is absent is printed as it is written: not at all.
// CHECK-LABEL: @memrefs_of_any_extent
// CHECK: weft.route ins(%{{.*}} : memref<?x?xf32>) outs(%{{.*}}, %{{.*}} : memref<?x?xi32>, memref<?x?xf32>){{$}}
func.func @memrefs_of_any_extent(%scores: memref<?x?xf32>, %e: memref<?x?xi32>, %w: memref<?x?xf32>) {
  weft.route ins(%scores : memref<?x?xf32>) outs(%e, %w : memref<?x?xi32>, memref<?x?xf32>)
  return
}
