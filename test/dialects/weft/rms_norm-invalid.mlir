// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @rms_norm_c1(%x: tensor<f32>, %scale: tensor<8xf32>, %init: tensor<f32>) {
  // expected-error@+1 {{input must have a dimension to normalise over}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<f32>, tensor<8xf32>) outs(%init : tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @rms_norm_c2(%x: tensor<2x8xf32>, %scale: tensor<8xf32>, %init: tensor<3x8xf32>) {
  // expected-error@+1 {{input and destination must have the same shape and element type, got 'tensor<2x8xf32>' and 'tensor<3x8xf32>'}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<2x8xf32>, tensor<8xf32>) outs(%init : tensor<3x8xf32>) -> tensor<3x8xf32>
  return
}

// -----

func.func @rms_norm_c2_element_type(%x: tensor<8xf16>, %scale: tensor<8xf32>, %init: tensor<8xf32>) {
  // expected-error@+1 {{input and destination must have the same shape and element type}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<8xf16>, tensor<8xf32>) outs(%init : tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @rms_norm_c3(%x: tensor<8xf32>, %scale: tensor<7xf32>, %init: tensor<8xf32>) {
  // expected-error@+1 {{scale must be 8 long, is 7 long}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<8xf32>, tensor<7xf32>) outs(%init : tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @rms_norm_c4(%x: tensor<8xf32>, %scale: tensor<8xi32>, %init: tensor<8xf32>) {
  // expected-error@+1 {{operands must hold floating-point numbers, got 'tensor<8xi32>'}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<8xf32>, tensor<8xi32>) outs(%init : tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @rms_norm_c5(%x: tensor<8xf32>, %scale: tensor<8xf32>, %init: tensor<8xf32>) {
  // expected-error@+1 {{epsilon must be finite and not negative}}
  weft.rms_norm {epsilon = -1.0 : f32} ins(%x, %scale : tensor<8xf32>, tensor<8xf32>) outs(%init : tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @rms_norm_c6(%x: tensor<8xf32>, %scale: memref<8xf32>, %init: tensor<8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.rms_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<8xf32>, memref<8xf32>) outs(%init : tensor<8xf32>) -> tensor<8xf32>
  return
}
