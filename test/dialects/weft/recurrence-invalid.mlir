// RUN: weft-opt %s --split-input-file --verify-diagnostics

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c1(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{needs an indexing map for each of its 2 operands, has 1}}
  weft.recurrence {indexing_maps = [#te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
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
func.func @recurrence_c2(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{indexing map of input 0 must map (b, h, t, n, e) to 3 indices}}
  weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t)>, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
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
func.func @recurrence_c3(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{indexing map of input 0 must consist of different dimensions of (bhtne), or of h floordiv a positive group}}
  weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t mod 2, e)>, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
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
func.func @recurrence_c3_twice(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{indexing map of output 0 must consist of different dimensions of (bhte), is}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (b, t, t)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
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
func.func @recurrence_c4(%x: tensor<2x5x8xf32>, %r: tensor<2x8xi1>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{indexing map of reset must consist of different dimensions of (bt)}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (b, e)>, #te]} ins(%x : tensor<2x5x8xf32>) reset(%r : tensor<2x8xi1>) outs(%o : tensor<2x5x8xf32>)
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
func.func @recurrence_c5(%x: tensor<2x5x8xf32>, %o: tensor<2x8xf32>) {
  // expected-error@+1 {{indexing map of output 0 must have each of (bhte) that another operand has, lacks t}}
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (b, e)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c6(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>, %s: tensor<8xf32>) {
  // expected-error@+1 {{indexing map of state 0 must have each of (bhne) that another operand has, lacks b}}
  weft.recurrence {indexing_maps = [#te, #te, affine_map<(b, h, t, n, e) -> (e)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>) state(%s : tensor<8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>, tensor<8xf32>
  return
}
