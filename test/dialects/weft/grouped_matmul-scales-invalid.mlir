// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @grouped_matmul_c14(%x: tensor<?x8xi8>, %w: tensor<2x1x2x64xi8>, %o: tensor<3xi32>, %s: tensor<?xf32>, %t: tensor<2x16xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-error@+1 {{scales are of rows and of a packed weight's columns, without bits and group}}
  %y = "weft.grouped_matmul"(%x, %w, %o, %s, %init) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0, 0, 1>}>
       : (tensor<?x8xi8>, tensor<2x1x2x64xi8>, tensor<3xi32>, tensor<?xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

func.func @grouped_matmul_c15(%x: tensor<4x8xi8>, %w: tensor<2x1x2x64xi8>, %o: tensor<3xi32>, %s: tensor<5xf32>, %t: tensor<2x16xf32>, %init: tensor<4x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{scales of rows must be 4 long, is 5 long}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<4x8xi8>, tensor<2x1x2x64xi8>, tensor<3xi32>) scales(%s, %t : tensor<5xf32>, tensor<2x16xf32>)
       outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @grouped_matmul_c15_columns(%x: tensor<4x8xi8>, %w: tensor<2x1x2x64xi8>, %o: tensor<3xi32>, %s: tensor<4xf32>, %t: tensor<2x15xf32>, %init: tensor<4x16xf32>) -> tensor<4x16xf32> {
  // expected-error@+1 {{scales of columns must be [groups, n], are 'tensor<2x15xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<4x8xi8>, tensor<2x1x2x64xi8>, tensor<3xi32>) scales(%s, %t : tensor<4xf32>, tensor<2x15xf32>)
       outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

func.func @grouped_matmul_c16(%x: tensor<?x7xi8>, %w: tensor<2x1x2x64xi8>, %o: tensor<3xi32>, %s: tensor<?xf32>, %t: tensor<2x16xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-error@+1 {{rows of 8-bit integers must have a known multiple of 4 columns, at most 131072, have 7}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<?x7xi8>, tensor<2x1x2x64xi8>, tensor<3xi32>) scales(%s, %t : tensor<?xf32>, tensor<2x16xf32>)
       outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
