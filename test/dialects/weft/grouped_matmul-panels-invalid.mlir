// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @grouped_matmul_c6(%x: tensor<6x4xf32>, %w: tensor<8x2x4x?xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{a packed weight must have a known, positive panel width}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x2x4x?xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c6_bytes(%x: tensor<6x50xf32>, %w: tensor<8x2x2x256xi8>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{a group of 16 columns of 32 values of 4 bits does not have 256 bytes}}
  %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %w, %o : tensor<6x50xf32>, tensor<8x2x2x256xi8>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c6_bits(%x: tensor<6x50xf32>, %w: tensor<8x2x2x288xi8>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{a group of 16 columns of 32 values of 5 bits does not have 288 bytes}}
  %y = weft.grouped_matmul {bits = 5, group = 32} ins(%x, %w, %o : tensor<6x50xf32>, tensor<8x2x2x288xi8>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c7(%x: tensor<6x4xf32>, %w: tensor<8x2x5x16xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{lhs is summed over 4 elements, the panels have 5 steps of 1}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x2x5x16xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c7_pairs(%x: tensor<6x5xf32>, %w: tensor<8x2x2x32xbf16>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{lhs is summed over 5 elements, the panels have 2 steps of 2}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x5xf32>, tensor<8x2x2x32xbf16>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c7_groups(%x: tensor<6x65xf32>, %w: tensor<8x2x2x288xi8>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{lhs is summed over 65 elements, the panels have 2 steps of 32}}
  %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %w, %o : tensor<6x65xf32>, tensor<8x2x2x288xi8>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c8(%x: tensor<6x4xf32>, %w: tensor<8x1x4x16xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{20 columns need 2 panels, rhs has 1}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x1x4x16xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c9(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{bits and group say how a packed weight's bytes lie: both or none}}
  %y = weft.grouped_matmul {bits = 4} ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c9_plain(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{bits and group say how a packed weight's bytes lie: both or none}}
  %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c11_bytes(%x: tensor<6x50xbf16>, %w: tensor<8x2x2x288xi8>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{takes lhs and weights of f32, bf16 or f16, or lhs of f32 and bytes of groups}}
  %y = weft.grouped_matmul {bits = 4, group = 32} ins(%x, %w, %o : tensor<6x50xbf16>, tensor<8x2x2x288xi8>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}
