// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @route_c1(%s: tensor<8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{takes scores [t, e] and destinations [t, k], got 'tensor<8xf32>', 'tensor<3x2xi32>' and 'tensor<3x2xf32>'}}
  %r:2 = weft.route ins(%s : tensor<8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c2(%s: tensor<3x8xf32>, %e: tensor<4x2xi32>, %w: tensor<4x2xf32>) {
  // expected-error@+1 {{needs an expert and a weight for each choice of each token, got 'tensor<4x2xi32>' and 'tensor<4x2xf32>' for 'tensor<3x8xf32>'}}
  %r:2 = weft.route ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<4x2xi32>, tensor<4x2xf32>) -> tensor<4x2xi32>, tensor<4x2xf32>
  return
}

// -----

func.func @route_c2_weights(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x1xf32>) {
  // expected-error@+1 {{needs an expert and a weight for each choice of each token, got 'tensor<3x2xi32>' and 'tensor<3x1xf32>' for 'tensor<3x8xf32>'}}
  %r:2 = weft.route ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x1xf32>) -> tensor<3x2xi32>, tensor<3x1xf32>
  return
}

// -----

func.func @route_c3(%s: tensor<3x8xf32>, %e: tensor<3x9xi32>, %w: tensor<3x9xf32>) {
  // expected-error@+1 {{cannot choose 9 of 8 experts}}
  %r:2 = weft.route ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x9xi32>, tensor<3x9xf32>) -> tensor<3x9xi32>, tensor<3x9xf32>
  return
}

// -----

func.func @route_c4(%s: tensor<3x8xf32>, %b: tensor<7xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{bias must be 8 long, is 7 long}}
  %r:2 = weft.route ins(%s, %b : tensor<3x8xf32>, tensor<7xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c5(%s: tensor<3x8xf32>, %e: tensor<3x2xi64>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{takes scores, bias and weights of f32 and experts of i32, got 'tensor<3x8xf32>', 'tensor<3x2xf32>' and 'tensor<3x2xi64>'}}
  %r:2 = weft.route ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi64>, tensor<3x2xf32>) -> tensor<3x2xi64>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c5_scores(%s: tensor<3x8xbf16>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{takes scores, bias and weights of f32 and experts of i32}}
  %r:2 = weft.route ins(%s : tensor<3x8xbf16>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c6(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{cannot choose 3 of 2 groups}}
  %r:2 = weft.route {groups = 2, top_groups = 3} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}

// -----

func.func @route_c6_none(%s: tensor<3x8xf32>, %e: tensor<3x2xi32>, %w: tensor<3x2xf32>) {
  // expected-error@+1 {{cannot choose 0 of 2 groups}}
  %r:2 = weft.route {groups = 2, top_groups = 0} ins(%s : tensor<3x8xf32>) outs(%e, %w : tensor<3x2xi32>, tensor<3x2xf32>) -> tensor<3x2xi32>, tensor<3x2xf32>
  return
}
