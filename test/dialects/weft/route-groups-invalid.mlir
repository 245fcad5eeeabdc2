// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @route_c7(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{ranks a group by the sum of its 1 or 2 largest numbers, not of 3}}
  %r:2 = weft.route {groups = 2, group_rank = 3} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c8(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{needs a known number of experts that 3 groups divide, got 8}}
  %r:2 = weft.route {groups = 3} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c8_unknown(%s: tensor<3x?xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{needs a known number of experts that 2 groups divide}}
  %r:2 = weft.route {groups = 2} ins(%s : tensor<3x?xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c9(%s: tensor<3x8xf32>, %e: tensor<3x5xi32>, %w: tensor<3x5xf32>) {
  // expected-error@+1 {{chooses 5 experts of the 4 in 2 groups}}
  %r:2 = weft.route {groups = 4, top_groups = 2} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x5xi32>, tensor<3x5xf32>) -> tensor<3x5xi32>, tensor<3x5xf32>
  return
}

// -----

func.func @route_c9_rank(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{chooses 2 experts of the 2 in 2 groups}}
  %r:2 = weft.route {groups = 8, top_groups = 2, group_rank = 2} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c10(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{scoring is "none", "softmax" or "sigmoid", not "relu"}}
  %r:2 = weft.route {scoring = "relu"} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c11(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{normalize is "none", "sum", "softmax" or "sparsemixer", not "max"}}
  %r:2 = weft.route {normalize = "max"} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c12(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{sparsemixer weighs the scores themselves, without bias and groups}}
  %r:2 = weft.route {scoring = "softmax", normalize = "sparsemixer"} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c12_bias(%s: tensor<3x8xf32>, %b: tensor<8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{sparsemixer weighs the scores themselves, without bias and groups}}
  %r:2 = weft.route {normalize = "sparsemixer"} ins(%s, %b : tensor<3x8xf32>, tensor<8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c13(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{scale must be finite, jitter finite and not negative}}
  %r:2 = weft.route {jitter = -0.5 : f32} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c13_scale(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{scale must be finite, jitter finite and not negative}}
  %r:2 = weft.route {scale = 0x7F800000 : f32} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c14(%s: memref<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.route ins(%s : memref<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>)
  return
}
