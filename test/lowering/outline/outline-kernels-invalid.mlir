// RUN: weft-opt %s --split-input-file --weft-outline-kernels --verify-diagnostics

// expected-error@+1 {{result 0 does not come from a kernel: run the fuse phase first}}
func.func @result_without_kernel(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {weft.entry} {
  return %x : tensor<4x8xf32>
}

// -----

func.func @compute_outside(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {weft.entry} {
  %empty = tensor.empty() : tensor<4x8xf32>
  // expected-error@+1 {{cannot be compiled: an entry may hold weft ops, linalg ops}}
  %0 = linalg.exp ins(%x : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = weft.kernel "map"(%0, %empty : tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32> {
  ^bb0(%kx: tensor<4x8xf32>, %out: tensor<4x8xf32>):
    %r = linalg.exp ins(%kx : tensor<4x8xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
    weft.yield %r : tensor<4x8xf32>
  }
  return %y : tensor<4x8xf32>
}

// -----

func.func @destination_not_empty(%x: tensor<4x8xf32>) -> tensor<4x8xf32> attributes {weft.entry} {
  %empty = tensor.empty() : tensor<4x8xf32>
  // expected-error@+1 {{operand 1 must be an empty tensor, a state or an earlier kernel's result: the destination of result 0}}
  %h = weft.kernel "map"(%x, %x : tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32> {
  ^bb0(%kx: tensor<4x8xf32>, %out: tensor<4x8xf32>):
    %r = linalg.exp ins(%kx : tensor<4x8xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
    weft.yield %r : tensor<4x8xf32>
  }
  %y = weft.kernel "map"(%h, %empty : tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32> {
  ^bb0(%kx: tensor<4x8xf32>, %out: tensor<4x8xf32>):
    %r = linalg.exp ins(%kx : tensor<4x8xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32>
    weft.yield %r : tensor<4x8xf32>
  }
  return %y : tensor<4x8xf32>
}

// -----

func.func @two_forms_of_one_name(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<8xf32>) attributes {weft.entry} {
  %a = weft.parameter "w" : tensor<4xf32>
  // expected-error@+1 {{another parameter of this name has other sources, another layout or another type}}
  %b = weft.parameter "w" : tensor<8xf32>
  %e = tensor.empty() : tensor<4xf32>
  %f = tensor.empty() : tensor<8xf32>
  %y = weft.kernel "map"(%a, %e : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%in: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.exp ins(%in : tensor<4xf32>) outs(%out : tensor<4xf32>) -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  %z = weft.kernel "map"(%b, %f : tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32> {
  ^bb0(%in: tensor<8xf32>, %out: tensor<8xf32>):
    %r = linalg.exp ins(%in : tensor<8xf32>) outs(%out : tensor<8xf32>) -> tensor<8xf32>
    weft.yield %r : tensor<8xf32>
  }
  return %y, %z : tensor<4xf32>, tensor<8xf32>
}

// -----

// expected-error@+1 {{state "s" does not end in its argument, updated in place: run the fuse phase first}}
func.func @state_elsewhere(%s: tensor<4xf32> {weft.name = "s", weft.state}, %t: tensor<4xf32> {weft.name = "t"})
    -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %t : tensor<4xf32>
}

// -----

// expected-error@+1 {{result 0 lies in an argument: run the fuse phase first, which copies it}}
func.func @output_in_state(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "y"}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %y = weft.kernel "map"(%x, %s : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.exp ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  return %y, %y : tensor<4xf32>, tensor<4xf32>
}
