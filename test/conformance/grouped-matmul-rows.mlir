// RUN: weft-run %s
// RUN: sed 's/^module {/module attributes {weft.definitions} {/' %s | weft-opt --weft-decompose-ops -o %t.mlir
// RUN: FileCheck %s < %t.mlir && weft-run %t.mlir

// Products of two groups computed by hand, of the op and of its definition.
// CHECK-NOT: weft.grouped_matmul
module {
// Rows 1, 0 and 1 of lhs, and a row that is none and therefore the last.
func.func @rows() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[[[1.0, 10.0], [0.0, 1.0]], [[100.0, 1000.0], [1.0, 0.0]]]> : tensor<2x2x2xf32>
  %offsets = arith.constant dense<[0, 1, 4]> : tensor<3xi32>
  %rows = arith.constant dense<[1, 0, 1, -7]> : tensor<4xi32>
  %bias = arith.constant dense<[[0.5, 0.0], [0.25, 0.0]]> : tensor<2x2xf32>
  %init = tensor.empty() : tensor<4x2xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<2x2xf32>, tensor<2x2x2xf32>, tensor<3xi32>)
       rows(%rows : tensor<4xi32>) bias(%bias : tensor<2x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  %expected = arith.constant dense<[[43.5, 4.0], [2100.25, 1.0], [4300.25, 3.0], [4300.25, 3.0]]> : tensor<4x2xf32>
  check.expect_eq %y, %expected : tensor<4x2xf32>, tensor<4x2xf32>
  return
}

// Without rows a row is its own; the first group has none, and offsets beyond the rows end with them.
func.func @empty_group() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[[[1.0, 10.0]], [[100.0, 1000.0]]]> : tensor<2x1x2xf32>
  %offsets = arith.constant dense<[-5, 0, 2147483647]> : tensor<3xi32>
  %init = tensor.empty() : tensor<2x1xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<2x2xf32>, tensor<2x1x2xf32>, tensor<3xi32>)
       outs(%init : tensor<2x1xf32>) -> tensor<2x1xf32>
  %expected = arith.constant dense<[[2100.0], [4300.0]]> : tensor<2x1xf32>
  check.expect_eq %y, %expected : tensor<2x1xf32>, tensor<2x1xf32>
  return
}

// A panel of each group: columns beyond the second are never seen.
func.func @panels() attributes {weft.entry} {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[
      [[[1.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0],
        [10.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]]],
      [[[100.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0],
        [1000.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0]]]]> : tensor<2x1x2x16xf32>
  %offsets = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %init = tensor.empty() : tensor<2x2xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<2x2xf32>, tensor<2x1x2x16xf32>, tensor<3xi32>)
       outs(%init : tensor<2x2xf32>) -> tensor<2x2xf32>
  %expected = arith.constant dense<[[21.0, 2.0], [4300.0, 3.0]]> : tensor<2x2xf32>
  check.expect_eq %y, %expected : tensor<2x2xf32>, tensor<2x2xf32>
  return
}
}
