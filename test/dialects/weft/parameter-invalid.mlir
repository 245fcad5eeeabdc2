// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @parameter_c1() {
  // expected-error@+1 {{needs a name}}
  %w = weft.parameter "" : tensor<8xf32>
  return
}

// -----

func.func @parameter_c2() {
  // expected-error@+1 {{sources must name a tensor; leave them out when the weight is stored under its own name}}
  %w = weft.parameter "w" sources([]) : tensor<8xf32>
  return
}

// -----

func.func @parameter_c2_empty_name() {
  // expected-error@+1 {{sources must not be empty names}}
  %w = weft.parameter "w" sources(["a", ""]) : tensor<8xf32>
  return
}

// -----

func.func @parameter_c3() {
  // expected-error@+1 {{a weight has a static shape, got 'tensor<?xf32>'}}
  %w = weft.parameter "w" : tensor<?xf32>
  return
}

// -----

func.func @parameter_c4() {
  // expected-error@+1 {{a weight in panels has the shape [panels, K, 16], of 16-bit numbers [panels, K / 2, 32], or [blocks] of these, got 'tensor<1x4x8xf32>'}}
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = false>) : tensor<1x4x8xf32>
  return
}

// -----

func.func @parameter_c5() {
  // expected-error@+1 {{a weight in 8 bits has i8 panels [panels, ⌈K / 4⌉, 64] or f32 scales [N], or [blocks] of these, got 'tensor<1x4x16xi8>'}}
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = false, int8 = true>) : tensor<1x4x16xi8>
  return
}

// -----

func.func @parameter_c6() {
  // expected-error@+1 {{a weight in groups has i8 panels [panels, groups, 288] of 16 columns, or [blocks] of these, got 'tensor<1x4x256xi8>'}}
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = false, form = "int4">) : tensor<1x4x256xi8>
  return
}

// -----

func.func @parameter_c7() {
  // expected-error@+1 {{with functions or an order is f32 and has no layout}}
  %w = weft.parameter "w" functions(["math.exp"]) : tensor<4xf16>
  return
}

// -----

func.func @parameter_c8() {
  // expected-error@+1 {{has no function 'math.sin': see dialects/weft/ElementFunction.cpp}}
  %w = weft.parameter "w" functions(["math.sin"]) : tensor<4xf32>
  return
}

// -----

func.func @parameter_c9() {
  // expected-error@+1 {{order must be a permutation of the dimensions}}
  %w = weft.parameter "w" order[0, 0] : tensor<4x4xf32>
  return
}
