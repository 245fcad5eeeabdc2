// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @cache_update_c1(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %c: tensor<2x9x4x8xf32>) {
  // expected-error@+1 {{takes rows and a cache of one rank, with the slots in a dimension after the batch, got 'tensor<2x3x8xf32>' and 'tensor<2x9x4x8xf32>' with dimension 1}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) outs(%c : tensor<2x9x4x8xf32>) -> tensor<2x9x4x8xf32>
  return
}

// -----

func.func @cache_update_c1_batch(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{with the slots in a dimension after the batch}}
  %0 = weft.cache_update {dimension = 0 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c1_beyond(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{with the slots in a dimension after the batch}}
  %0 = weft.cache_update {dimension = 3 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c2(%k: tensor<2x3x4xf32>, %p: tensor<2x3xi64>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{rows and cache must have the same extents but for the slots, got 'tensor<2x3x4xf32>' and 'tensor<2x9x8xf32>'}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x4xf32>, tensor<2x3xi64>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c3(%k: tensor<2x3x8xf32>, %p: tensor<3xi64>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs a position for each row, [batch, rows], got 'tensor<3xi64>' for 'tensor<2x3x8xf32>'}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<3xi64>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c3_rows(%k: tensor<2x4x3x8xf32>, %p: tensor<2x4xi64>, %c: tensor<2x4x9x8xf32>) {
  // expected-error@+1 {{needs a position for each row, [batch, rows], got 'tensor<2x4xi64>' for 'tensor<2x4x3x8xf32>'}}
  %0 = weft.cache_update {dimension = 2 : i64} ins(%k, %p : tensor<2x4x3x8xf32>, tensor<2x4xi64>) outs(%c : tensor<2x4x9x8xf32>) -> tensor<2x4x9x8xf32>
  return
}

// -----

func.func @cache_update_c4(%k: tensor<2x3x8xf32>, %p: tensor<2x3xf32>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{positions must be integers, got 'tensor<2x3xf32>'}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xf32>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c5(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %c: tensor<2x9x8xbf16>) {
  // expected-error@+1 {{rows must have the cache's element type, 'bf16', have 'f32'}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) outs(%c : tensor<2x9x8xbf16>) -> tensor<2x9x8xbf16>
  return
}

// -----

func.func @cache_update_c6(%k: tensor<2x3x8xf32>, %p: memref<2x3xi64>, %c: tensor<2x9x8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, memref<2x3xi64>) outs(%c : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return
}

// -----

func.func @cache_update_c7(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %t: tensor<3x4xi64>, %c: tensor<9x16x8xf32>) {
  // expected-error@+1 {{table must hold integers, [batch, blocks], got 'tensor<3x4xi64>' for 'tensor<2x3x8xf32>'}}
  %0 = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) table(%t : tensor<3x4xi64>) outs(%c : tensor<9x16x8xf32>) -> tensor<9x16x8xf32>
  return
}

// -----

func.func @cache_update_c8(%k: tensor<2x3x8xf32>, %p: tensor<2x3xi64>, %t: tensor<2x4xi64>, %c: tensor<9x16x8xf32>) {
  // expected-error@+1 {{a cache in pages is no ring}}
  %0 = weft.cache_update {dimension = 1 : i64, ring} ins(%k, %p : tensor<2x3x8xf32>, tensor<2x3xi64>) table(%t : tensor<2x4xi64>) outs(%c : tensor<9x16x8xf32>) -> tensor<9x16x8xf32>
  return
}
