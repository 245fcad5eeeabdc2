// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @causal_conv_c11(%x: tensor<2x9x8xbf16>, %w: tensor<8x4xf32>, %s: tensor<2x3x8xf16>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{state must hold what the input does, 'bf16', or f32, got 'f16'}}
  %0:2 = weft.causal_conv ins(%x, %w : tensor<2x9x8xbf16>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>) state(%s : tensor<2x3x8xf16>) -> tensor<2x9x8xf32>, tensor<2x3x8xf16>
  return
}

// -----

func.func @causal_conv_c12(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %g: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs a map in extra_maps for each of its 1 extras, has 0}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) extras(%g : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c13(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %g: tensor<9x9xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{an extra must be indexed by some of (b, t, d), each once, with the destination's extents}}
  %0 = weft.causal_conv {extra_maps = [affine_map<(b, t, d) -> (t, d)>]} ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) extras(%g : tensor<9x9xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c14(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %g: tensor<9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{has extras but no output region that reads them}}
  %0 = weft.causal_conv {extra_maps = [affine_map<(b, t, d) -> (t, d)>]} ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) extras(%g : tensor<9x8xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c14_arguments(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xbf16>) {
  // expected-error@+1 {{output region must take ('f32'), takes ('bf16')}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xbf16>) output {
  ^bb0(%s: bf16):
    weft.yield %s : bf16
  } -> tensor<2x9x8xbf16>
  return
}

// -----

func.func @causal_conv_c15(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xbf16>) {
  // expected-error@+1 {{output region must yield one 'bf16'}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xbf16>) output {
  ^bb0(%s: f32):
    weft.yield %s : f32
  } -> tensor<2x9x8xbf16>
  return
}

// -----

func.func @causal_conv_c16(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %t: tensor<8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{output region must compute with elementwise ops only, has tensor.extract}}
  %0 = weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>) output {
  ^bb0(%s: f32):
    %c = arith.constant 0 : index
    %e = tensor.extract %t[%c] : tensor<8xf32>
    weft.yield %e : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @causal_conv_c17(%x: tensor<2x9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{has 1 destinations, but 0 results}}
  weft.causal_conv ins(%x, %w : tensor<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>)
  return
}

// -----

func.func @causal_conv_c18(%x: memref<2x9x8xf32>, %w: tensor<8x4xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  %0 = weft.causal_conv ins(%x, %w : memref<2x9x8xf32>, tensor<8x4xf32>) outs(%y : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}
