// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @groupwise_matmul_c1(%x: tensor<50xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{takes lhs [m, k], rhs [panels, groups, bytes] and a destination [m, n]}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<50xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c2(%x: tensor<4x50xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs has 4 rows, the destination 3}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<4x50xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c3(%x: tensor<3x50xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{takes values of 4 or 8 bits in groups of a multiple of 8, got 5 bits in groups of 32}}
  weft.groupwise_matmul {bits = 5, group = 32} ins(%x, %w : tensor<3x50xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c3_group(%x: tensor<3x50xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{takes values of 4 or 8 bits in groups of a multiple of 8, got 4 bits in groups of 12}}
  weft.groupwise_matmul {bits = 4, group = 12} ins(%x, %w : tensor<3x50xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c4(%x: tensor<3x50xf32>, %w: tensor<2x2x256xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{a group of 16 columns has 288 bytes, got 'tensor<2x2x256xi8>'}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<3x50xf32>, tensor<2x2x256xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c5(%x: tensor<3x65xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs must have a known number of columns, one to 32 for each group: got 'tensor<3x65xf32>' and 'tensor<2x2x288xi8>'}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<3x65xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c5_unknown(%x: tensor<3x?xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs must have a known number of columns, one to 32 for each group: got 'tensor<3x?xf32>' and 'tensor<2x2x288xi8>'}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<3x?xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c6(%x: tensor<3x50xf32>, %w: tensor<1x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{20 columns need 2 panels, rhs has 1}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<3x50xf32>, tensor<1x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c7(%x: tensor<3x50xf32>, %w: tensor<2x2x288xi8>, %b: tensor<3xf32>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{bias must be 20 long, is 3 long}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : tensor<3x50xf32>, tensor<2x2x288xi8>, tensor<3xf32>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c8(%x: tensor<3x50xf32>, %w: tensor<2x2x288xi16>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{rhs must hold i8, got 'tensor<2x2x288xi16>'}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<3x50xf32>, tensor<2x2x288xi16>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c9(%x: tensor<3x50xf32>, %w: tensor<2x2x288xi8>, %b: tensor<20xf64>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{lhs, bias and destination must hold f32, got 'tensor<20xf64>'}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : tensor<3x50xf32>, tensor<2x2x288xi8>, tensor<20xf64>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}

// -----

func.func @groupwise_matmul_c10(%x: memref<3x50xf32>, %w: tensor<2x2x288xi8>, %init: tensor<3x20xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : memref<3x50xf32>, tensor<2x2x288xi8>) outs(%init : tensor<3x20xf32>) -> tensor<3x20xf32>
  return
}
