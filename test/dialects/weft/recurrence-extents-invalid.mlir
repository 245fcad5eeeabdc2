// RUN: weft-opt %s --split-input-file --verify-diagnostics

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c7(%x: tensor<2x5x8xf32>, %o: tensor<2x6x8xf32>) {
  // expected-error@+1 {{dimension t of output 0 must be 5 as in another operand, is 6}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x6x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x6x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c7_state(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>, %s: tensor<2x4xf32>) {
  // expected-error@+1 {{dimension e of state 0 must be 8 as in another operand, is 4}}
  weft.recurrence {indexing_maps = [#te, #te, affine_map<(b, h, t, n, e) -> (b, e)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>) state(%s : tensor<2x4xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>, tensor<2x4xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c7_reset(%x: tensor<2x5x8xf32>, %r: tensor<2x4xi1>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{dimension t of reset must be 5 as in another operand, is 4}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (b, t)>, #te]} ins(%x : tensor<2x5x8xf32>) reset(%r : tensor<2x4xi1>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c7_groups(%x: tensor<2x3x5x8xf32>, %o: tensor<2x4x5x8xf32>) {
  // expected-error@+1 {{dimension h of input 0 must be 2 as in another operand, is 3}}
  weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, h floordiv 2, t, e)>, affine_map<(b, h, t, n, e) -> (b, h, t, e)>]} ins(%x : tensor<2x3x5x8xf32>) outs(%o : tensor<2x4x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x4x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c8(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>, %s: tensor<2x8xf64>) {
  // expected-error@+1 {{a state must hold f32, got}}
  weft.recurrence {indexing_maps = [#te, #te, affine_map<(b, h, t, n, e) -> (b, e)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>) state(%s : tensor<2x8xf64>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>, tensor<2x8xf64>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c8_reset(%x: tensor<2x5x8xf32>, %r: tensor<2x5xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{reset must hold integers, got}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (b, t)>, #te]} ins(%x : tensor<2x5x8xf32>) reset(%r : tensor<2x5xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c8_output(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xi32>) {
  // expected-error@+1 {{outputs must hold floats of at most 32 bits, got}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xi32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xi32>
  return
}
