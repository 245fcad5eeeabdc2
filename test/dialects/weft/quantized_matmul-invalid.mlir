// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @quantized_matmul_c1(%x: tensor<8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{takes lhs [m, k], rhs [panels, k / 4, 64] and a destination [m, n]}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c2(%x: tensor<4x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs has 4 rows, the destination 3}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<4x8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c3(%x: tensor<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x32xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{rhs must have panels of 16 columns by 4 steps, 64 values, got 'tensor<2x2x32xi8>'}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi8>, tensor<3xf32>, tensor<2x2x32xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c4(%x: tensor<3x7xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs is summed over 7 elements, rhs over 2 groups of 4}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x7xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c5(%x: tensor<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<1x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{20 columns need 2 panels, rhs has 1}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi8>, tensor<3xf32>, tensor<1x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c6(%x: tensor<3x8xi8>, %xs: tensor<4xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs_scales must be 3 long, is 4 long}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi8>, tensor<4xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c7(%x: tensor<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<8xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{rhs_scales must be 20 long, is 8 long}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<8xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c8(%x: tensor<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %b: tensor<3xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{bias must be 20 long, is 3 long}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws, %b : tensor<3x8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>, tensor<3xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c9(%x: tensor<3x8xi16>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs must hold i8, got 'tensor<3x8xi16>'}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi16>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c10(%x: tensor<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf64>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{scales, bias and destination must hold f32, got 'tensor<20xf64>'}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf64>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c11(%x: tensor<3x131076xi8>, %xs: tensor<3xf32>, %w: tensor<2x32769x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{a sum over 131076 products may not fit 32 bits, at most 131072}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<3x131076xi8>, tensor<3xf32>, tensor<2x32769x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @quantized_matmul_c12(%x: memref<3x8xi8>, %xs: tensor<3xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<3x8xi8>, tensor<3xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}
