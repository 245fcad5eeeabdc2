// RUN: weft-run %s
// RUN: sed 's/^module {/module attributes {weft.definitions} {/' %s | weft-opt --weft-decompose-ops -o %t.mlir
// RUN: FileCheck %s < %t.mlir && weft-run %t.mlir

// Entries sorted by hand, of the op and of its definition.
// CHECK-NOT: weft.dispatch
module {
// Experts 3, −1 and the smallest integer are none of the three.
func.func @dropped() attributes {weft.entry} {
  %experts = arith.constant dense<[[2, 0], [0, 3], [2, -1], [-2147483648, 0]]> : tensor<4x2xi32>
  %weights = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %t = tensor.empty() : tensor<8xi32>
  %w = tensor.empty() : tensor<8xf32>
  %o = tensor.empty() : tensor<4xi32>
  %tokens, %sorted, %offsets = weft.dispatch ins(%experts, %weights : tensor<4x2xi32>, tensor<4x2xf32>)
      outs(%t, %w, %o : tensor<8xi32>, tensor<8xf32>, tensor<4xi32>) -> tensor<8xi32>, tensor<8xf32>, tensor<4xi32>
  %expected_tokens = arith.constant dense<[0, 1, 3, 0, 2, -1, -1, -1]> : tensor<8xi32>
  %expected_weights = arith.constant dense<[2.0, 3.0, 8.0, 1.0, 5.0, 0.0, 0.0, 0.0]> : tensor<8xf32>
  %expected_offsets = arith.constant dense<[0, 3, 3, 5]> : tensor<4xi32>
  check.expect_eq %tokens, %expected_tokens : tensor<8xi32>, tensor<8xi32>
  check.expect_eq %sorted, %expected_weights : tensor<8xf32>, tensor<8xf32>
  check.expect_eq %offsets, %expected_offsets : tensor<4xi32>, tensor<4xi32>
  return
}

// The first two of each expert stay.
func.func @capacity() attributes {weft.entry} {
  %experts = arith.constant dense<[[1], [1], [0], [1]]> : tensor<4x1xi32>
  %weights = arith.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %t = tensor.empty() : tensor<4xi32>
  %w = tensor.empty() : tensor<4xf32>
  %o = tensor.empty() : tensor<3xi32>
  %tokens, %sorted, %offsets = weft.dispatch {capacity = 2} ins(%experts, %weights : tensor<4x1xi32>, tensor<4x1xf32>)
      outs(%t, %w, %o : tensor<4xi32>, tensor<4xf32>, tensor<3xi32>) -> tensor<4xi32>, tensor<4xf32>, tensor<3xi32>
  %expected_tokens = arith.constant dense<[2, 0, 1, -1]> : tensor<4xi32>
  %expected_weights = arith.constant dense<[3.0, 1.0, 2.0, 0.0]> : tensor<4xf32>
  %expected_offsets = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  check.expect_eq %tokens, %expected_tokens : tensor<4xi32>, tensor<4xi32>
  check.expect_eq %sorted, %expected_weights : tensor<4xf32>, tensor<4xf32>
  check.expect_eq %offsets, %expected_offsets : tensor<3xi32>, tensor<3xi32>
  return
}

// Nothing stays.
func.func @capacity_of_zero() attributes {weft.entry} {
  %experts = arith.constant dense<[[1, 0], [0, 1]]> : tensor<2x2xi32>
  %weights = arith.constant dense<1.0> : tensor<2x2xf32>
  %t = tensor.empty() : tensor<4xi32>
  %w = tensor.empty() : tensor<4xf32>
  %o = tensor.empty() : tensor<3xi32>
  %tokens, %sorted, %offsets = weft.dispatch {capacity = 0} ins(%experts, %weights : tensor<2x2xi32>, tensor<2x2xf32>)
      outs(%t, %w, %o : tensor<4xi32>, tensor<4xf32>, tensor<3xi32>) -> tensor<4xi32>, tensor<4xf32>, tensor<3xi32>
  %none = arith.constant dense<-1> : tensor<4xi32>
  %zeros = arith.constant dense<0> : tensor<3xi32>
  check.expect_eq %tokens, %none : tensor<4xi32>, tensor<4xi32>
  check.expect_eq %offsets, %zeros : tensor<3xi32>, tensor<3xi32>
  return
}

// More than any expert has.
func.func @capacity_of_all() attributes {weft.entry} {
  %experts = arith.constant dense<[[1, 0], [0, 1]]> : tensor<2x2xi32>
  %weights = arith.constant dense<1.0> : tensor<2x2xf32>
  %t = tensor.empty() : tensor<4xi32>
  %w = tensor.empty() : tensor<4xf32>
  %o = tensor.empty() : tensor<3xi32>
  %tokens, %sorted, %offsets = weft.dispatch {capacity = 4294967296} ins(%experts, %weights : tensor<2x2xi32>, tensor<2x2xf32>)
      outs(%t, %w, %o : tensor<4xi32>, tensor<4xf32>, tensor<3xi32>) -> tensor<4xi32>, tensor<4xf32>, tensor<3xi32>
  %by_expert = arith.constant dense<[0, 1, 0, 1]> : tensor<4xi32>
  %twos = arith.constant dense<[0, 2, 4]> : tensor<3xi32>
  check.expect_eq %tokens, %by_expert : tensor<4xi32>, tensor<4xi32>
  check.expect_eq %offsets, %twos : tensor<3xi32>, tensor<3xi32>
  return
}
}
