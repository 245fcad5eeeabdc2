// RUN: weft-opt %s --split-input-file --weft-bind-states --remarks-filter-missed=weft-bind-states --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#v = affine_map<(n) -> (n)>

// Each state's old value is read: the one that is written first is copied before.
// CHECK-LABEL: @states_change_places
// CHECK-SAME: %[[S:[^ ]*]]: tensor<4xf32> {weft.name = "s", weft.state}, %[[T:[^ ]*]]: tensor<4xf32> {weft.name = "t", weft.state}
// CHECK: %[[OLD:.*]] = linalg.copy ins(%[[S]] : tensor<4xf32>) outs(%{{.*}} : tensor<4xf32>)
// CHECK: linalg.copy ins(%[[T]] : tensor<4xf32>) outs(%[[S]] : tensor<4xf32>)
// CHECK: linalg.copy ins(%[[OLD]] : tensor<4xf32>) outs(%[[T]] : tensor<4xf32>)
// expected-remark@+2 {{a tensor is copied: what a state becomes is computed elsewhere}}
// expected-remark@+1 {{a tensor is copied: it is read here or later, and this op writes over it}}
func.func @states_change_places(%s: tensor<4xf32> {weft.name = "s", weft.state}, %t: tensor<4xf32> {weft.name = "t", weft.state})
    -> (tensor<4xf32> {weft.name = "s", weft.state}, tensor<4xf32> {weft.name = "t", weft.state}) attributes {weft.entry} {
  return %t, %s : tensor<4xf32>, tensor<4xf32>
}

// -----

// A later reader gets the old value, through its view.
// CHECK-LABEL: @later_reader
// CHECK-SAME: %[[S:[^ ]*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[OLD:.*]] = linalg.copy ins(%[[S]] :
// CHECK: %[[VIEW:.*]] = tensor.expand_shape %[[OLD]]
// CHECK: linalg.generic {{.*}} outs(%[[S]] :
// CHECK: linalg.exp ins(%[[VIEW]] :
#v = affine_map<(n) -> (n)>
func.func @later_reader(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<2x2xf32> {weft.name = "y"}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %view = tensor.expand_shape %s [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  // expected-remark@+1 {{a tensor is copied: it is read here or later, and this op writes over it}}
  %u = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %y = linalg.exp ins(%view : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y, %u : tensor<2x2xf32>, tensor<4xf32>
}

// -----

// Of two updates the one that is kept has the memory.
// CHECK-LABEL: @two_updates
// CHECK-SAME: %[[S:[^ ]*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[S]] :
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(%[[COPY]] :
// CHECK: %[[U:.*]] = linalg.generic {{.*}} outs(%[[S]] :
// CHECK: return %[[Y]], %[[U]]
#v = affine_map<(n) -> (n)>
func.func @two_updates(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "y"}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  // expected-remark@+1 {{a tensor is copied: it is read after this op, which would write over it}}
  %y = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %u = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.mulf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y, %u : tensor<4xf32>, tensor<4xf32>
}

// -----

// An op that reads the state elsewhere than it writes reads a copy.
// CHECK-LABEL: @reversed
// CHECK-SAME: %[[S:[^ ]*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[OLD:.*]] = linalg.copy ins(%[[S]] :
// CHECK: linalg.generic {{.*}} ins(%[[OLD]] : tensor<4xf32>) outs(%[[S]] :
#v = affine_map<(n) -> (n)>
#r = affine_map<(n) -> (3 - n)>
func.func @reversed(%s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-remark@+1 {{a tensor is copied: it is read here or later, and this op writes over it}}
  %y = linalg.generic {indexing_maps = [#r, #v], iterator_types = ["parallel"]} ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// An input must not be written, a weight neither: the kernel will copy it.
// CHECK-LABEL: @sum_onto_input
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4xf32>, %[[S:[^ ]*]]: tensor<4xf32>
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[X]] : tensor<4xf32>) outs(%[[S]] :
#v = affine_map<(n) -> (n)>
func.func @sum_onto_input(%x: tensor<4xf32>, %s: tensor<4xf32>) -> tensor<4xf32> attributes {weft.entry} {
  // expected-remark@+1 {{a tensor is copied: this op adds to it, and it must not be written}}
  %y = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// The state begins anew with a fill, while an earlier sum with its old value is still read: that has a copy.
// CHECK-LABEL: @filled_anew
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4xf32> {weft.name = "x"}, %[[S:[^ ]*]]: tensor<4xf32>
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[S]] :
// CHECK: %[[OLD:.*]] = linalg.generic {{.*}} outs(%[[COPY]] :
// CHECK: %[[ZERO:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%[[S]] :
// CHECK: linalg.generic {{.*}} ins(%[[OLD]] : tensor<4xf32>) outs(%[[ZERO]] :
#v = affine_map<(n) -> (n)>
func.func @filled_anew(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  // expected-remark@+1 {{a tensor is copied: it is read after this op, which would write over it}}
  %old = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %new = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%old : tensor<4xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %new : tensor<4xf32>
}
