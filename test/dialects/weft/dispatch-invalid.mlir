// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @dispatch_c1(%e: tensor<6xi32>, %w: tensor<6xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{needs an expert and a weight for each choice of each token, [t, k], got 'tensor<6xi32>' and 'tensor<6xf32>'}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<6xi32>, tensor<6xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c1_weights(%e: tensor<3x2xi32>, %w: tensor<2x3xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{needs an expert and a weight for each choice of each token, [t, k], got 'tensor<3x2xi32>' and 'tensor<2x3xf32>'}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<2x3xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c2(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<5xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{tokens must be 6 long, is 5 long}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<5xi32>, tensor<6xf32>, tensor<9xi32>) -> tensor<5xi32>, tensor<6xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c2_sorted(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6x1xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{sorted must have rank 1, has rank 2}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6x1xf32>, tensor<9xi32>) -> tensor<6xi32>, tensor<6x1xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c3(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<?xi32>) {
  // expected-error@+1 {{offsets must have one dimension, one more than there are experts, known, got 'tensor<?xi32>'}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<?xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<?xi32>
  return
}

// -----

func.func @dispatch_c3_few(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<1xi32>) {
  // expected-error@+1 {{offsets must have one dimension, one more than there are experts, known, got 'tensor<1xi32>'}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<1xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<1xi32>
  return
}

// -----

func.func @dispatch_c4(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi64>) {
  // expected-error@+1 {{takes experts, tokens and offsets of i32 and weights of f32}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi64>) -> tensor<6xi32>, tensor<6xf32>, tensor<9xi64>
  return
}

// -----

func.func @dispatch_c4_weights(%e: tensor<3x2xi32>, %w: tensor<3x2xbf16>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{takes experts, tokens and offsets of i32 and weights of f32}}
  %r:3 = weft.dispatch ins(%e, %w : tensor<3x2xi32>, tensor<3x2xbf16>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c5(%e: tensor<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{capacity must not be negative, is -1}}
  %r:3 = weft.dispatch {capacity = -1} ins(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi32>) -> tensor<6xi32>, tensor<6xf32>, tensor<9xi32>
  return
}

// -----

func.func @dispatch_c6(%e: memref<3x2xi32>, %w: tensor<3x2xf32>, %t: tensor<6xi32>, %s: tensor<6xf32>, %o: tensor<9xi32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.dispatch ins(%e, %w : memref<3x2xi32>, tensor<3x2xf32>) outs(%t, %s, %o : tensor<6xi32>, tensor<6xf32>, tensor<9xi32>)
  return
}
