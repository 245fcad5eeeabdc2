// RUN: weft-run %s
// RUN: sed 's/^module {/module attributes {weft.definitions} {/' %s | weft-opt --weft-decompose-ops -o %t.mlir
// RUN: FileCheck %s < %t.mlir && weft-run %t.mlir

// Sums computed by hand, of the op and of its definition.
// CHECK-NOT: weft.combine
module {
// Rows of no token are not read. 2^30 + 1 is 2^30: in another order the second column would not be 0.
func.func @in_order() attributes {weft.entry} {
  %rows = arith.constant dense<[[1.0, 1.0], [0x7FC00000, 1.0], [5.0, 1073741824.0], [7.0, 8.0], [1.0, -1073741824.0]]> : tensor<5x2xf32>
  %tokens = arith.constant dense<[1, -1, 1, 3, 1]> : tensor<5xi32>
  %weights = arith.constant dense<[10.0, 1.0, 100.0, 1.0, 100.0]> : tensor<5xf32>
  %x = arith.constant dense<[[2.0, 4.0], [0.5, 0.0], [0.0, 0.0]]> : tensor<3x2xf32>
  %y = weft.combine ins(%rows, %tokens, %weights : tensor<5x2xf32>, tensor<5xi32>, tensor<5xf32>)
       outs(%x : tensor<3x2xf32>) -> tensor<3x2xf32>
  %expected = arith.constant dense<[[2.0, 4.0], [610.5, 0.0], [0.0, 0.0]]> : tensor<3x2xf32>
  check.expect_eq %y, %expected : tensor<3x2xf32>, tensor<3x2xf32>
  return
}
}
