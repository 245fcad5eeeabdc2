// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @combine_c1(%r: tensor<6x8xf32>, %t: tensor<6xi32>, %w: tensor<6xf32>, %i: tensor<3x7xf32>) {
  // expected-error@+1 {{takes rows [r, n] and a destination [t, n], got 'tensor<6x8xf32>' and 'tensor<3x7xf32>'}}
  %y = weft.combine ins(%r, %t, %w : tensor<6x8xf32>, tensor<6xi32>, tensor<6xf32>) outs(%i : tensor<3x7xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @combine_c1_rank(%r: tensor<6xf32>, %t: tensor<6xi32>, %w: tensor<6xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{takes rows [r, n] and a destination [t, n], got 'tensor<6xf32>' and 'tensor<3x8xf32>'}}
  %y = weft.combine ins(%r, %t, %w : tensor<6xf32>, tensor<6xi32>, tensor<6xf32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @combine_c2(%r: tensor<6x8xf32>, %t: tensor<5xi32>, %w: tensor<6xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{tokens must be 6 long, is 5 long}}
  %y = weft.combine ins(%r, %t, %w : tensor<6x8xf32>, tensor<5xi32>, tensor<6xf32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @combine_c2_weights(%r: tensor<6x8xf32>, %t: tensor<6xi32>, %w: tensor<6x1xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{weights must have rank 1, has rank 2}}
  %y = weft.combine ins(%r, %t, %w : tensor<6x8xf32>, tensor<6xi32>, tensor<6x1xf32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @combine_c3(%r: tensor<6x8xf32>, %t: tensor<6xi64>, %w: tensor<6xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{takes rows, weights and a destination of f32 and tokens of i32}}
  %y = weft.combine ins(%r, %t, %w : tensor<6x8xf32>, tensor<6xi64>, tensor<6xf32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @combine_c3_rows(%r: tensor<6x8xf16>, %t: tensor<6xi32>, %w: tensor<6xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{takes rows, weights and a destination of f32 and tokens of i32}}
  %y = weft.combine ins(%r, %t, %w : tensor<6x8xf16>, tensor<6xi32>, tensor<6xf32>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @combine_c4(%r: memref<6x8xf32>, %t: tensor<6xi32>, %w: tensor<6xf32>, %i: tensor<3x8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.combine ins(%r, %t, %w : memref<6x8xf32>, tensor<6xi32>, tensor<6xf32>) outs(%i : tensor<3x8xf32>)
  return
}
