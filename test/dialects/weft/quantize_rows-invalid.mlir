// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @quantize_rows_c1(%x: tensor<6xf32>, %v: tensor<3x8xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{takes input [m, k] and destinations [m, k'] and [m]}}
  weft.quantize_rows ins(%x : tensor<6xf32>) outs(%v, %s : tensor<3x8xi8>, tensor<3xf32>) -> tensor<3x8xi8>, tensor<3xf32>
  return
}

// -----

func.func @quantize_rows_c2(%x: tensor<3x6xf32>, %v: tensor<4x8xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{input has 3 rows, the destination 4}}
  weft.quantize_rows ins(%x : tensor<3x6xf32>) outs(%v, %s : tensor<4x8xi8>, tensor<3xf32>) -> tensor<4x8xi8>, tensor<3xf32>
  return
}

// -----

func.func @quantize_rows_c3(%x: tensor<3x6xf32>, %v: tensor<3x6xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{rows of 6 elements need 8 columns, the destination has 6}}
  weft.quantize_rows ins(%x : tensor<3x6xf32>) outs(%v, %s : tensor<3x6xi8>, tensor<3xf32>) -> tensor<3x6xi8>, tensor<3xf32>
  return
}

// -----

func.func @quantize_rows_c4(%x: tensor<3x6xf32>, %v: tensor<3x8xi8>, %s: tensor<4xf32>) {
  // expected-error@+1 {{scales must be 3 long, is 4 long}}
  weft.quantize_rows ins(%x : tensor<3x6xf32>) outs(%v, %s : tensor<3x8xi8>, tensor<4xf32>) -> tensor<3x8xi8>, tensor<4xf32>
  return
}

// -----

func.func @quantize_rows_c5(%x: tensor<3x6xf32>, %v: tensor<3x8xi32>, %s: tensor<3xf32>) {
  // expected-error@+1 {{values must hold i8, got 'tensor<3x8xi32>'}}
  weft.quantize_rows ins(%x : tensor<3x6xf32>) outs(%v, %s : tensor<3x8xi32>, tensor<3xf32>) -> tensor<3x8xi32>, tensor<3xf32>
  return
}

// -----

func.func @quantize_rows_c5_input(%x: tensor<3x6xf64>, %v: tensor<3x8xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{input must hold f32, got 'tensor<3x6xf64>'}}
  weft.quantize_rows ins(%x : tensor<3x6xf64>) outs(%v, %s : tensor<3x8xi8>, tensor<3xf32>) -> tensor<3x8xi8>, tensor<3xf32>
  return
}

// -----

func.func @quantize_rows_c6(%x: tensor<3x6xf32>, %v: tensor<3x8xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{has two results on tensors, none on memrefs}}
  weft.quantize_rows ins(%x : tensor<3x6xf32>) outs(%v, %s : tensor<3x8xi8>, tensor<3xf32>) -> tensor<3x8xi8>
  return
}

// -----

func.func @quantize_rows_c7(%x: memref<3x6xf32>, %v: tensor<3x8xi8>, %s: tensor<3xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.quantize_rows ins(%x : memref<3x6xf32>) outs(%v, %s : tensor<3x8xi8>, tensor<3xf32>) -> tensor<3x8xi8>, tensor<3xf32>
  return
}
