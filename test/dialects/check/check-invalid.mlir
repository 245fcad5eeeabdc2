// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @expect_close_c1(%a: tensor<3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{compares values of one shape and element type, got 'tensor<3xf32>' and 'tensor<4xf32>'}}
  check.expect_close %a, %b {relative_rms = 0.0 : f64} : tensor<3xf32>, tensor<4xf32>
  return
}

// -----

func.func @expect_close_c2(%a: tensor<3xi32>) {
  // expected-error@+1 {{compares floats, got 'i32'; use check.expect_eq}}
  check.expect_close %a, %a {relative_rms = 0.0 : f64} : tensor<3xi32>, tensor<3xi32>
  return
}

// -----

func.func @expect_close_c3(%a: tensor<3xf32>) {
  // expected-error@+1 {{relative_rms must be finite and not negative}}
  check.expect_close %a, %a {relative_rms = -1.0 : f64} : tensor<3xf32>, tensor<3xf32>
  return
}

// -----

func.func @expect_close_c4(%a: tensor<3xf32>) {
  // expected-error@+1 {{max_ulp must not be negative}}
  check.expect_close %a, %a {relative_rms = 0.0 : f64, max_ulp = -1 : i64} : tensor<3xf32>, tensor<3xf32>
  return
}

// -----

func.func @expect_eq_c1(%a: tensor<3xf32>, %b: tensor<3xi32>) {
  // expected-error@+1 {{compares values of one shape and element type, got 'tensor<3xf32>' and 'tensor<3xi32>'}}
  check.expect_eq %a, %b : tensor<3xf32>, tensor<3xi32>
  return
}
