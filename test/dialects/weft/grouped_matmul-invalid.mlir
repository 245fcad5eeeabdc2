// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @grouped_matmul_c1(%x: tensor<6x4xf32>, %w: tensor<20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{takes lhs [t, k], rhs [groups, n, k] or in panels, and a destination [r, n], got 'tensor<6x4xf32>', 'tensor<20x4xf32>' and 'tensor<6x20xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c2(%x: tensor<6x4xf32>, %w: tensor<?x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{needs a known number of groups, at least one, got 'tensor<?x20x4xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<?x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c2_none(%x: tensor<6x4xf32>, %w: tensor<0x20x4xf32>, %o: tensor<1xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{needs a known number of groups, at least one, got 'tensor<0x20x4xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<0x20x4xf32>, tensor<1xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c3(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<8xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{offsets must be 9 long, is 8 long}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<8xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c4(%x: tensor<5x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{lhs has 5 rows, the destination 6}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<5x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c4_rows(%x: tensor<3x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %r: tensor<3xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{rows must be 6 long, is 3 long}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<3x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) rows(%r : tensor<3xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c5(%x: tensor<6x4xf32>, %w: tensor<8x4x20xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{weights must be [groups, 20, 4], are 'tensor<8x4x20xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x4x20xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c10(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %b: tensor<20xf32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{bias must be [groups, n], is 'tensor<20xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) bias(%b : tensor<20xf32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c10_extent(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %b: tensor<8x16xf32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{bias must be [groups, n], is 'tensor<8x16xf32>'}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) bias(%b : tensor<8x16xf32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c11(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xbf16>) {
  // expected-error@+1 {{takes lhs and weights of f32, bf16 or f16, or lhs of f32 and bytes of groups, or i8 with scales, and scales, bias and destination of f32}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xbf16>) -> tensor<6x20xbf16>
  return
}

// -----

func.func @grouped_matmul_c11_weights(%x: tensor<6x4xf32>, %w: tensor<8x20x4xi8>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{takes lhs and weights of f32, bf16 or f16}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xi8>, tensor<9xi32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c12(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi64>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{offsets and rows must be i32}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi64>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c12_rows(%x: tensor<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %r: tensor<6xi64>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{offsets and rows must be i32}}
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) rows(%r : tensor<6xi64>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return
}

// -----

func.func @grouped_matmul_c13(%x: memref<6x4xf32>, %w: tensor<8x20x4xf32>, %o: tensor<9xi32>, %i: tensor<6x20xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.grouped_matmul ins(%x, %w, %o : memref<6x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) outs(%i : tensor<6x20xf32>)
  return
}
