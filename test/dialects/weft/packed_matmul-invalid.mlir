// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @packed_matmul_c1(%x: tensor<3x8xf32>, %w: tensor<8x16xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{takes lhs [m, k], rhs [panels, k, width] or [blocks, panels, k, width] and a destination [m, n]}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<8x16xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c2(%x: tensor<3x8xf32>, %w: tensor<1x8x16xf32>, %init: tensor<4x16xf32>) {
  // expected-error@+1 {{lhs has 3 rows, the destination 4}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
  return
}

// -----

func.func @packed_matmul_c3(%x: tensor<3x8xf32>, %w: tensor<1x9x16xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{lhs is summed over 8 elements, rhs over 9}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<1x9x16xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c4(%x: tensor<3x8xf32>, %w: tensor<1x8x?xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{rhs must have a static, positive panel width}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<1x8x?xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c5(%x: tensor<3x8xf32>, %w: tensor<1x8x16xf32>, %init: tensor<3x17xf32>) {
  // expected-error@+1 {{17 columns need 2 panels of 16, rhs has 1}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<3x17xf32>) -> tensor<3x17xf32>
  return
}

// -----

func.func @packed_matmul_c6(%x: tensor<3x8xf32>, %w: tensor<1x8x16xf32>, %b: tensor<15xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{bias must be 16 long, is 15 long}}
  weft.packed_matmul ins(%x, %w, %b : tensor<3x8xf32>, tensor<1x8x16xf32>, tensor<15xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c7(%x: tensor<3x8xi32>, %w: tensor<1x8x16xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{operands must hold floating-point numbers, got 'tensor<3x8xi32>'}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xi32>, tensor<1x8x16xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c8(%x: memref<3x8xf32>, %w: tensor<1x8x16xf32>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.packed_matmul ins(%x, %w : memref<3x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c3_pairs(%x: tensor<3x9xf32>, %w: tensor<1x4x32xbf16>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{lhs is summed over 9 elements, rhs over 4 pairs}}
  weft.packed_matmul ins(%x, %w : tensor<3x9xf32>, tensor<1x4x32xbf16>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c4_pairs(%x: tensor<3x8xf32>, %w: tensor<1x4x31xf16>, %init: tensor<3x16xf32>) {
  // expected-error@+1 {{rhs must have a static, positive panel width, its last extent twice that}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<1x4x31xf16>) outs(%init : tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

func.func @packed_matmul_c5_blocks(%x: tensor<3x8xf32>, %w: tensor<2x2x4x16xf32>, %init: tensor<3x10xf32>) {
  // expected-error@+1 {{5 columns need 1 panels of 16, rhs has 2}}
  weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<2x2x4x16xf32>) outs(%init : tensor<3x10xf32>) -> tensor<3x10xf32>
  return
}

// -----

func.func @packed_matmul_c9_uneven(%x: tensor<3x9xf32>, %w: tensor<2x1x4x16xf32>, %init: tensor<3x10xf32>) {
  // expected-error@+1 {{blocks of a weight share columns of lhs and of the destination evenly, all static; they are 'tensor<2x1x4x16xf32>', 'tensor<3x9xf32>' and 'tensor<3x10xf32>'}}
  weft.packed_matmul ins(%x, %w : tensor<3x9xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<3x10xf32>) -> tensor<3x10xf32>
  return
}

// -----

func.func @packed_matmul_c9_dynamic(%x: tensor<3x?xf32>, %w: tensor<2x1x4x16xf32>, %init: tensor<3x10xf32>) {
  // expected-error@+1 {{blocks of a weight share columns of lhs and of the destination evenly, all static}}
  weft.packed_matmul ins(%x, %w : tensor<3x?xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<3x10xf32>) -> tensor<3x10xf32>
  return
}

// -----

func.func @packed_matmul_c10(%x: tensor<3x8xf32>, %w: tensor<2x8x16xf32>, %rows: tensor<5xi64>, %init: tensor<5x20xf32>) {
  // expected-error@+1 {{rows must be i32, one for each row of the destination, and the weight without blocks, got 'tensor<5xi64>'}}
  %y = weft.packed_matmul ins(%x, %w : tensor<3x8xf32>, tensor<2x8x16xf32>) rows(%rows : tensor<5xi64>) outs(%init : tensor<5x20xf32>) -> tensor<5x20xf32>
  return
}
