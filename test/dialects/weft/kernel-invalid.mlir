// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @kernel_c1() {
  // expected-error@+1 {{needs a name}}
  weft.kernel ""() {
  }
  return
}

// -----

func.func @kernel_c2(%x: tensor<8xf32>) {
  // expected-error@+1 {{body must take the operands' types 'tensor<8xf32>', takes 'tensor<9xf32>'}}
  weft.kernel "k"(%x : tensor<8xf32>) {
  ^bb0(%a: tensor<9xf32>):
    weft.yield
  }
  return
}

// -----

func.func @kernel_c3(%x: tensor<8xf32>, %init: tensor<9xf32>) {
  // expected-error@+1 {{body must yield the result types 'tensor<9xf32>', yields 'tensor<8xf32>'}}
  %r = weft.kernel "k"(%x, %init : tensor<8xf32>, tensor<9xf32>) -> tensor<9xf32> {
  ^bb0(%a: tensor<8xf32>, %out: tensor<9xf32>):
    weft.yield %a : tensor<8xf32>
  }
  return
}

// -----

func.func @kernel_c4(%x: tensor<8xf32>) {
  // expected-error@+1 {{last operands must be the results' destinations, of types 'tensor<9xf32>', operands are 'tensor<8xf32>'}}
  %r = weft.kernel "k"(%x : tensor<8xf32>) -> tensor<9xf32> {
  ^bb0(%a: tensor<8xf32>):
    %e = tensor.empty() : tensor<9xf32>
    weft.yield %e : tensor<9xf32>
  }
  return
}

// -----

func.func @yield_c1() {
  // expected-error@+1 {{must end a region of a weft op}}
  weft.yield
}
