// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @scan_c10(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region must take the accumulators of two parts, 2 f32, takes ('f32')}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32):
    weft.yield %a : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c10_yield(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region must yield 1 f32}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    weft.yield %a, %b : f32, f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c11(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %i: index) {
  // expected-error@+1 {{combine region must compute with elementwise ops only, has tensor.extract}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %e = tensor.extract %y[%i, %i, %i] : tensor<2x9x8xf32>
    weft.yield %e : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c12(%x: tensor<2x9x8xf32>, %z: tensor<2x9xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{accumulator 1 depends on accumulator 0, but is not indexed by d2}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (b, t)>]} ins(%x, %z : tensor<2x9x8xf32>, tensor<2x9xf32>) outs(%y, %z : tensor<2x9x8xf32>, tensor<2x9xf32>) combine {
  ^bb0(%a0: f32, %a1: f32, %b0: f32, %b1: f32):
    %c = arith.addf %a0, %b0 : f32
    weft.yield %c, %c : f32, f32
  } -> tensor<2x9x8xf32>, tensor<2x9xf32>
  return
}

// -----

func.func @scan_c13_disproved(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region is not associative: combine(combine(x, y), z) and combine(x, combine(y, z)) differ}}
  %0 = weft.scan {dimension = 1 : i64, associative, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %c = arith.subf %a, %b : f32
    weft.yield %c : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c13_mean(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region is not associative}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %half = arith.constant 0.5 : f32
    %c = arith.addf %a, %b : f32
    %d = arith.mulf %c, %half : f32
    weft.yield %d : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c13_softmax(%x: tensor<2x9x8xf32>, %z: tensor<2x9xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region is not associative}}
  %0:2 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t) -> (b, t)>, affine_map<(b, t) -> (b, t)>]} ins(%z, %z : tensor<2x9xf32>, tensor<2x9xf32>) outs(%z, %z : tensor<2x9xf32>, tensor<2x9xf32>) combine {
  ^bb0(%m0: f32, %s0: f32, %m1: f32, %s1: f32):
    %m = arith.maximumf %m0, %m1 : f32
    %d0 = arith.subf %m0, %m : f32
    %w0 = math.exp %d0 : f32
    %t0 = arith.mulf %s0, %w0 : f32
    %s = arith.addf %t0, %s1 : f32
    weft.yield %m, %s : f32, f32
  } -> tensor<2x9xf32>, tensor<2x9xf32>
  return
}

// -----

func.func @scan_c13_unknown(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{combine region is not known to be associative: write `associative` if it is}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    %d = math.tanh %c : f32
    weft.yield %d : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c14(%x: tensor<2x9x8xf32>, %y: tensor<2x9x8xf32>, %s: tensor<2x8xf32>) {
  // expected-error@+1 {{has 2 destinations and states, but 1 results}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : tensor<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) state(%s : tensor<2x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}

// -----

func.func @scan_c15(%x: memref<2x9x8xf32>, %y: tensor<2x9x8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  %0 = weft.scan {dimension = 1 : i64, indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x : memref<2x9x8xf32>) outs(%y : tensor<2x9x8xf32>) combine {
  ^bb0(%a0: f32, %b0: f32):
    %c0 = arith.addf %a0, %b0 : f32
    weft.yield %c0 : f32
  } -> tensor<2x9x8xf32>
  return
}
