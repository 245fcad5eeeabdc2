// RUN: weft-opt %s --split-input-file --weft-bind-states | FileCheck %s

#v = affine_map<(n) -> (n)>

// CHECK-LABEL: @update_stays
// CHECK-SAME: %[[X:.*]]: tensor<4xf32> {weft.name = "x"}, %[[S:.*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK-NEXT: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4xf32>) outs(%[[S]] : tensor<4xf32>)
// CHECK: return %[[Y]]
func.func @update_stays(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %y = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Elements are read where they are written.
// CHECK-LABEL: @step
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4xf32> {weft.name = "x"}, %[[S:[^ ]*]]: tensor<4xf32>
// CHECK: linalg.generic {{.*}} ins(%[[X]] : tensor<4xf32>) outs(%[[S]] : tensor<4xf32>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[OLD:.*]]: f32):
// CHECK-NEXT: arith.addf %[[OLD]], %[[A]]
// CHECK-NOT: linalg.generic
#v = affine_map<(n) -> (n)>
func.func @step(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "sum", weft.state})
    -> (tensor<4xf32> {weft.name = "sum", weft.state}) attributes {weft.entry} {
  %empty = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#v, #v, #v], iterator_types = ["parallel"]}
       ins(%s, %x : tensor<4xf32>, tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// What is computed from nothing of the state is computed in its memory, after a fill as before.
// CHECK-LABEL: @result_is_bound
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32> {{{.*}} %[[S:.*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[ZERO:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%[[S]] : tensor<4xf32>)
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<4x8xf32>) outs(%[[ZERO]] : tensor<4xf32>)
// CHECK: return %[[Y]]
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
func.func @result_is_bound(%x: tensor<4x8xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%f : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Nothing is to be done, and nothing is copied.
// CHECK-LABEL: @negative_unchanged
// CHECK-NOT: linalg
// CHECK: return %arg0 : tensor<4xf32>
func.func @negative_unchanged(%s: tensor<4xf32> {weft.name = "s", weft.state}) -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  return %s : tensor<4xf32>
}
