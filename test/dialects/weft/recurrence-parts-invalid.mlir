// RUN: weft-opt %s --split-input-file --verify-diagnostics

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
func.func @recurrence_c3_parts(%x: tensor<2x9x8xf32>, %o: tensor<3x2x8xf32>) {
  // expected-error@+1 {{indexing map of output 0 must consist of different dimensions of (bhte), is}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t floordiv 4, b, e)>]} ins(%x : tensor<2x9x8xf32>) outs(%o : tensor<3x2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<3x2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
func.func @recurrence_c3_parts_twice(%x: tensor<2x9x8xf32>, %s: tensor<3x3x2x8xf32>) {
  // expected-error@+1 {{indexing map of state 0 must consist of different dimensions of (bhne), or of t floordiv a positive length, is}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t floordiv 4, t floordiv 4, b, e)>]} ins(%x : tensor<2x9x8xf32>) state(%s : tensor<3x3x2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<3x3x2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
func.func @recurrence_c7_parts(%x: tensor<2x9x8xf32>, %s: tensor<3x2x8xf32>) {
  // expected-error@+1 {{dimension of parts of state 0 must be at least 4, is 3}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t floordiv 4 + 1, b, e)>]} ins(%x : tensor<2x9x8xf32>) state(%s : tensor<3x2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<3x2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#parts = affine_map<(b, h, t, n, e) -> (t floordiv 4, b, e)>
func.func @recurrence_c16(%x: tensor<2x9x8xf32>, %s: tensor<3x2x8xf32>, %i: tensor<4x2x8xf32>) {
  // expected-error@+1 {{indexing map of state 1 must cut the time as state 0 does, is}}
  weft.recurrence {indexing_maps = [#te, #te, #parts, affine_map<(b, h, t, n, e) -> (t floordiv 4 + 1, b, e)>]}
    ins(%x, %x : tensor<2x9x8xf32>, tensor<2x9x8xf32>) state(%s, %i : tensor<3x2x8xf32>, tensor<4x2x8xf32>)
    step {
    ^bb0(%v: f32, %w: f32):
      weft.step value(%v, %w)
    } -> tensor<3x2x8xf32>, tensor<4x2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
func.func @recurrence_c17(%x: tensor<2x9x8xf32>) {
  // expected-error@+1 {{needs an output or a state}}
  weft.recurrence {indexing_maps = [#te]} ins(%x : tensor<2x9x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    }
  return
}
