// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @scan_c1(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs as many destinations, and states or none, as inputs; has 1 inputs, 2 destinations and 0 states}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y, %y : tensor<2x9x8xf32>, tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>, tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c2(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs an indexing map for each of its 1 accumulators, has 2}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c3(%x: tensor<2x8xf32>, %y: tensor<2x8xf32>) {
  // expected-error@+1 {{indexing map 0 must map all dimensions to some of them, each once and 1 among them}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, d)>]} ins(%x : tensor<2x8xf32>) outs(%y : tensor<2x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x8xf32>
  return
}

// -----

func.func @scan_c4(%x: tensor<2x9xf32>, %y: tensor<2x9xf32>) {
  // expected-error@+1 {{dimension d2 indexes no accumulator}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t)>]} ins(%x : tensor<2x9xf32>) outs(%y : tensor<2x9xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9xf32>
  return
}

// -----

func.func @scan_c5(%x: tensor<2x9x8xf32>, %z: tensor<2x9xf32>, %y: tensor<2x9x8xf32>, %r: tensor<9x8xi8>) {
  // expected-error@+1 {{reset must be indexed by dimensions that index every accumulator, d2 does not index accumulator 1}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t)>, affine_map<(b, t, d) -> (t, d)>]} ins(%x, %z : tensor<2x9x8xf32>, tensor<2x9xf32>) reset(%r : tensor<9x8xi8>) outs(%y, %z : tensor<2x9x8xf32>, tensor<2x9xf32>) combine {
  ^bb0(%a0: f32, %a1: f32, %b0: f32, %b1: f32):
    %c0 = arith.addf %a0, %b0 : f32
    %c1 = arith.addf %a1, %b1 : f32
    weft.yield %c0, %c1 : f32, f32
  } -> tensor<2x9x8xf32>, tensor<2x9xf32>
  return
}

// -----

func.func @scan_c6_rank(%x: tensor<2x9x8xf32>, %y: tensor<2x9xf32>) {
  // expected-error@+1 {{destination 0 must have 3 dimensions, is 'tensor<2x9xf32>'}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9xf32>
  return
}

// -----

func.func @scan_c6_state(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %s: tensor<2x7xf32>) {
  // expected-error@+1 {{dimension d2 of state 0 must be 8 as in another operand, is 7}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) state(%s : tensor<2x7xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>, tensor<2x7xf32>
  return
}

// -----

func.func @scan_c6_reset(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %r: tensor<2x8xi8>) {
  // expected-error@+1 {{dimension d1 of reset must be 9 as in another operand, is 8}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t)>]} ins(%x : tensor<2x9x8xf32>) reset(%r : tensor<2x8xi8>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c7(%x: tensor<2x9x8xf64>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{inputs and destinations must hold floats of at most 32 bits, got 'f64'}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf64>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c8(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %s: tensor<2x8xbf16>) {
  // expected-error@+1 {{states must hold f32, got 'bf16'}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) state(%s : tensor<2x8xbf16>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>, tensor<2x8xbf16>
  return
}

// -----

func.func @scan_c9(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %r: tensor<2x9xf32>) {
  // expected-error@+1 {{reset must hold integers, got 'f32'}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t)>]} ins(%x : tensor<2x9x8xf32>) reset(%r : tensor<2x9xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}
