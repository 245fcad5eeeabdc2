// RUN: weft-opt %s --split-input-file --verify-diagnostics

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c13(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  // expected-error@+1 {{low_rank is for real states}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v) decay(%v, %v) low_rank(%v, %v)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c14(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>, %s: tensor<2x8xf32>) {
  // expected-error@+1 {{needs 2 state operands for a complex state, or none, has 1}}
  weft.recurrence {indexing_maps = [#te, #te, affine_map<(b, h, t, n, e) -> (b, e)>]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>) state(%s : tensor<2x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v) decay(%v, %v)
    } -> tensor<2x5x8xf32>, tensor<2x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @recurrence_c15(%x: tensor<2x5x8xf32>, %o: memref<2x5x8xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : memref<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      weft.step value(%v)
    }
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @step_c1(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      // expected-error@+1 {{decay must be a number, or a real and an imaginary part, has 3}}
      weft.step value(%v) decay(%v, %v, %v)
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @step_c2(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      // expected-error@+1 {{needs a value}}
      "weft.step"() {operandSegmentSizes = array<i32: 0, 0, 0, 0, 0>} : () -> ()
    } -> tensor<2x5x8xf32>
  return
}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
func.func @step_c3(%x: tensor<2x5x8xf32>, %o: tensor<2x5x8xf32>) {
  weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<2x5x8xf32>) outs(%o : tensor<2x5x8xf32>)
    step {
    ^bb0(%v: f32):
      // expected-error@+1 {{low_rank must be a pair, has 1 numbers}}
      weft.step value(%v) low_rank(%v)
    } -> tensor<2x5x8xf32>
  return
}
