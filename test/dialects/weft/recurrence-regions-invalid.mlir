// RUN: weft-opt %s --split-input-file --verify-diagnostics

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func private @f()
func.func @recurrence_c9(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{step region must be pure, has func.call}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      func.call @f() : () -> ()
      weft.step value(%v)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c10(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{step region must take ('f32'), takes ('f64')}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f64):
      %w = arith.truncf %v : f64 to f32
      weft.step value(%w)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c10_end(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{step region must end with weft.step}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.yield %v : f32
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c11(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{output region must yield ('f32')}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } output {
    ^bb0(%o0: f32, %v: f32):
      weft.yield %o0, %v : f32, f32
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c11_arguments(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{output region must take ('f32', 'f32'), takes ('f32')}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } output {
    ^bb0(%o0: f32):
      weft.yield %o0 : f32
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c11_absent(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{without an output region there must be at most one output, has 2}}
  weft.recurrence {indexing_maps = [#te, #te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o, %o : tensor<2x5x8xf32>, tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    } -> tensor<2x5x8xf32>, tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c12(%x: tensor<2x5x8xf32>, %k: tensor<2x5x4xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{output region must not read input 1, which is indexed by n: an output has no n}}
  weft.recurrence {indexing_maps = [#te, #tn, #te]} ins(%x, %k : tensor<2x5x8xf32>, tensor<2x5x4xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32, %q: f32):
      weft.step query(%q) value(%v)
    } output {
    ^bb0(%o0: f32, %v: f32, %q: f32):
      weft.yield %q : f32
    } -> tensor<2x5x8xf32>
  return
}
