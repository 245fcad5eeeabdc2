// RUN: weft-run %s
// RUN: sed 's/^module {/module attributes {weft.definitions} {/' %s | weft-opt --weft-decompose-ops -o %t.mlir
// RUN: FileCheck %s < %t.mlir && weft-run %t.mlir

// Choices and weights computed by hand, of the op and of its definition.
// CHECK-NOT: weft.route
module {
// Of equal numbers the first, −0 is 0, a NaN is above all.
func.func @order() attributes {weft.entry} {
  %scores = arith.constant dense<[[1.0, 5.0, 5.0, 2.0], [-0.0, 0.0, -1.0, 0.0], [0x7F800000, 3.0, 0x7FC00000, 0xFF800000]]> : tensor<3x4xf32>
  %e = tensor.empty() : tensor<3x3xi32>
  %w = tensor.empty() : tensor<3x3xf32>
  %experts, %weights = weft.route ins(%scores : tensor<3x4xf32>)
      outs(%e, %w : tensor<3x3xi32>, tensor<3x3xf32>) -> tensor<3x3xi32>, tensor<3x3xf32>
  %chosen = arith.constant dense<[[1, 2, 3], [0, 1, 3], [2, 0, 1]]> : tensor<3x3xi32>
  %weighed = arith.constant dense<[[5.0, 5.0, 2.0], [-0.0, 0.0, 0.0], [0x7FC00000, 0x7F800000, 3.0]]> : tensor<3x3xf32>
  check.expect_eq %experts, %chosen : tensor<3x3xi32>, tensor<3x3xi32>
  check.expect_close %weights, %weighed {relative_rms = 0.0 : f64} : tensor<3x3xf32>, tensor<3x3xf32>
  return
}

// The logarithms of 1, 2 and 5: the softmax is 1/8, 2/8 and 5/8.
func.func @softmax_then_sum() attributes {weft.entry} {
  %scores = arith.constant dense<[[0.0, 0.693147182, 1.609437912]]> : tensor<1x3xf32>
  %e = tensor.empty() : tensor<1x2xi32>
  %w = tensor.empty() : tensor<1x2xf32>
  %e0, %w0 = weft.route {scoring = "softmax"} ins(%scores : tensor<1x3xf32>)
      outs(%e, %w : tensor<1x2xi32>, tensor<1x2xf32>) -> tensor<1x2xi32>, tensor<1x2xf32>
  %e1, %w1 = weft.route {scoring = "softmax", normalize = "sum"} ins(%scores : tensor<1x3xf32>)
      outs(%e, %w : tensor<1x2xi32>, tensor<1x2xf32>) -> tensor<1x2xi32>, tensor<1x2xf32>
  %e2, %w2 = weft.route {normalize = "softmax", scale = 7.0 : f32} ins(%scores : tensor<1x3xf32>)
      outs(%e, %w : tensor<1x2xi32>, tensor<1x2xf32>) -> tensor<1x2xi32>, tensor<1x2xf32>
  %chosen = arith.constant dense<[[2, 1]]> : tensor<1x2xi32>
  %shares = arith.constant dense<[[0.625, 0.25]]> : tensor<1x2xf32>
  %sevenths = arith.constant dense<[[0.714285714, 0.285714286]]> : tensor<1x2xf32>
  %scaled = arith.constant dense<[[5.0, 2.0]]> : tensor<1x2xf32>
  check.expect_eq %e0, %chosen : tensor<1x2xi32>, tensor<1x2xi32>
  check.expect_close %w0, %shares {relative_rms = 1.0e-6 : f64} : tensor<1x2xf32>, tensor<1x2xf32>
  check.expect_close %w1, %sevenths {relative_rms = 1.0e-6 : f64} : tensor<1x2xf32>, tensor<1x2xf32>
  check.expect_close %w2, %scaled {relative_rms = 1.0e-6 : f64} : tensor<1x2xf32>, tensor<1x2xf32>
  return
}

// Groups {9, 0}, {5, 5} and {8, 1}: by their largest number the first and the third, by two the second and the first.
func.func @groups() attributes {weft.entry} {
  %scores = arith.constant dense<[[9.0, 0.0, 5.0, 5.0, 8.0, 1.0]]> : tensor<1x6xf32>
  %e = tensor.empty() : tensor<1x3xi32>
  %w = tensor.empty() : tensor<1x3xf32>
  %e1, %w1 = weft.route {groups = 3, top_groups = 2} ins(%scores : tensor<1x6xf32>)
      outs(%e, %w : tensor<1x3xi32>, tensor<1x3xf32>) -> tensor<1x3xi32>, tensor<1x3xf32>
  %e2, %w2 = weft.route {groups = 3, top_groups = 2, group_rank = 2} ins(%scores : tensor<1x6xf32>)
      outs(%e, %w : tensor<1x3xi32>, tensor<1x3xf32>) -> tensor<1x3xi32>, tensor<1x3xf32>
  %by_one = arith.constant dense<[[0, 4, 5]]> : tensor<1x3xi32>
  %by_two = arith.constant dense<[[0, 2, 3]]> : tensor<1x3xi32>
  check.expect_eq %e1, %by_one : tensor<1x3xi32>, tensor<1x3xi32>
  check.expect_eq %e2, %by_two : tensor<1x3xi32>, tensor<1x3xi32>
  return
}

// The bias chooses the first expert, which weighs its sigmoid, 1/2.
func.func @bias() attributes {weft.entry} {
  %scores = arith.constant dense<[[0.0, 2.0, 1.0]]> : tensor<1x3xf32>
  %bias = arith.constant dense<[1.0, 0.0, 0.0]> : tensor<3xf32>
  %e = tensor.empty() : tensor<1x1xi32>
  %w = tensor.empty() : tensor<1x1xf32>
  %experts, %weights = weft.route {scoring = "sigmoid"} ins(%scores, %bias : tensor<1x3xf32>, tensor<3xf32>)
      outs(%e, %w : tensor<1x1xi32>, tensor<1x1xf32>) -> tensor<1x1xi32>, tensor<1x1xf32>
  %first = arith.constant dense<0> : tensor<1x1xi32>
  %half = arith.constant dense<0.5> : tensor<1x1xf32>
  check.expect_eq %experts, %first : tensor<1x1xi32>, tensor<1x1xi32>
  check.expect_close %weights, %half {relative_rms = 1.0e-6 : f64} : tensor<1x1xf32>, tensor<1x1xf32>
  return
}

// Of 4 with a jitter of 0.2: what is below 2.4 is far from it, and what is below 1.8 far from 3. 1 / (1 + 1/e) both.
func.func @sparsemixer() attributes {weft.entry} {
  %scores = arith.constant dense<[[4.0, 3.0, 2.0, 1.0]]> : tensor<1x4xf32>
  %e = tensor.empty() : tensor<1x2xi32>
  %w = tensor.empty() : tensor<1x2xf32>
  %experts, %weights = weft.route {normalize = "sparsemixer", jitter = 0.2 : f32} ins(%scores : tensor<1x4xf32>)
      outs(%e, %w : tensor<1x2xi32>, tensor<1x2xf32>) -> tensor<1x2xi32>, tensor<1x2xf32>
  %near = arith.constant dense<0.731058579> : tensor<1x2xf32>
  check.expect_close %weights, %near {relative_rms = 1.0e-6 : f64} : tensor<1x2xf32>, tensor<1x2xf32>
  return
}
}
