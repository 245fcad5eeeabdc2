// RUN: weft-opt %s --split-input-file --weft-bind-states --verify-diagnostics

// expected-error@+1 {{argument 0 is a state and needs a weft.name}}
func.func @state_without_name(%s: tensor<4xf32> {weft.state}) attributes {weft.entry} {
  return
}

// -----

// expected-error@+1 {{state "s" has no result that says what it becomes: mark one with weft.name = "s" and weft.state, the argument itself where it stays}}
func.func @state_without_result(%s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s"}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}

// -----

// expected-error@+1 {{result 0 is a state without an argument of its name that is one}}
func.func @state_without_argument(%s: tensor<4xf32> {weft.name = "s"}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}

// -----

// expected-error@+1 {{state "s" is two arguments: give each a name of its own}}
func.func @two_arguments(%s: tensor<4xf32> {weft.name = "s", weft.state}, %t: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}

// -----

// expected-error@+1 {{state "s" is two results: it can become one value only}}
func.func @two_results(%s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s, %s : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error@+1 {{state "s" is 'tensor<4xf32>' and becomes 'tensor<8xf32>': its type must stay}}
func.func @grows(%s: tensor<4xf32> {weft.name = "s", weft.state}, %t: tensor<8xf32> {weft.name = "t"}) -> (tensor<8xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %t : tensor<8xf32>
}

// -----

// expected-error@+1 {{state "s" has other 'weft.dims' as a result than as an argument}}
func.func @other_dims(%s: tensor<?xf32> {weft.name = "s", weft.dims = ["m"], weft.state}) -> (tensor<?xf32> {weft.name = "s", weft.dims = ["n"], weft.state}) attributes {weft.entry} {
  return %s : tensor<?xf32>
}

// -----

// expected-error@+1 {{state "s" has a default: a state starts as zeros}}
func.func @default(%s: tensor<4xi64> {weft.name = "s", weft.state, weft.default = 1 : i64}) -> (tensor<4xi64> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xi64>
}

// -----

func.func @prefill(%s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}
// expected-error@+1 {{state "s" is 'tensor<8xf32>' here and 'tensor<4xf32>' in entry 'prefill', or has other 'weft.dims': entries share a state by its name}}
func.func @decode(%s: tensor<8xf32> {weft.name = "s", weft.state}) -> (tensor<8xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<8xf32>
}

// -----

// expected-error@+1 {{state "s": 'weft.fills' must name two dimensions, that of the places and that of those that a call takes, got ["n"]}}
func.func @fills(%s: tensor<4xi64> {weft.name = "s", weft.state, weft.fills = ["n"]}) -> (tensor<4xi64> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xi64>
}

// -----

// expected-error@+1 {{state "s" counts places, and must hold integers}}
func.func @fills_of_floats(%s: tensor<4xf32> {weft.name = "s", weft.state, weft.fills = ["n", "m"]}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}
