// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @causal_conv_c1(%x: tensor<9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<9x8xf32>) {
  // expected-error@+1 {{takes an input and a destination [b, t, d], got 'tensor<9x8xf32>' and 'tensor<9x8xf32>'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<9x8xf32>) -> tensor<9x8xf32>
  return
}

// -----

func.func @causal_conv_c2(%x: tensor<2x9x8xf32>, %w: tensor<8x1xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs a weight [d, k] of a known number of taps, at least 2, got 'tensor<8x1xf32>'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x1xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c3(%x: tensor<2x9x16xf32>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{input, weight and destination must have the same batch and channels}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x16xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c4(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x5x8xf32>) {
  // expected-error@+1 {{the destination has 5 steps, the input 9; a part of them needs `from`}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x5x8xf32>) -> tensor<2x5x8xf32>
  return
}

// -----

func.func @causal_conv_c4_from(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %f: index, %y: tensor<2x10x8xf32>) {
  // expected-error@+1 {{the destination has 10 steps, the input 9}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) from(%f) outs(%y : tensor<2x10x8xf32>) -> tensor<2x10x8xf32>
  return
}

// -----

func.func @causal_conv_c5(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{bias must be 8 long, is 4 long}}
  %0 = weft.causal_conv ins(%x, %w, %b : tensor<2x9x8xf32>, tensor<8x4xf32>, tensor<4xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c6(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %r: tensor<2x8xi8>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{reset must be [2, 9], is 'tensor<2x8xi8>'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) reset(%r : tensor<2x8xi8>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c7(%x: tensor<2x?x8xf32>, %w: tensor<8x4xf32>, %s: tensor<2x4x8xf32>, %y: tensor<2x?x8xf32>) {
  // expected-error@+1 {{state must be [2, 3, 8], is 'tensor<2x4x8xf32>'}}
  %0:2 = weft.causal_conv ins(%x, %w : tensor<2x?x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x?x8xf32>) state(%s : tensor<2x4x8xf32>) -> tensor<2x?x8xf32>, tensor<2x4x8xf32>
  return
}

// -----

func.func @causal_conv_c8(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %f: index, %s: tensor<2x3x8xf32>, %y: tensor<2x5x8xf32>) {
  // expected-error@+1 {{with a state all steps are computed: `from` must not be given}}
  %0:2 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) from(%f) outs(%y : tensor<2x5x8xf32>) state(%s : tensor<2x3x8xf32>) -> tensor<2x5x8xf32>, tensor<2x3x8xf32>
  return
}

// -----

func.func @causal_conv_c9(%x: tensor<2x9x8xf64>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{input, weight, bias and destination must hold floats of at most 32 bits, got 'f64'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf64>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c10(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %r: tensor<2x9xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{reset must hold integers, got 'f32'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) reset(%r : tensor<2x9xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}
