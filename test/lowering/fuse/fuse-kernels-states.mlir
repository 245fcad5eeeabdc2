// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --remarks-filter-missed=weft-fuse-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The destination is the state itself, and the body reads it there.
// CHECK-LABEL: @state_is_destination
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32> {weft.name = "x"}, %[[S:.*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK-NEXT: %[[Y:.*]] = weft.kernel "reduce"(%[[X]], %[[S]] : tensor<4x8xf32>, tensor<4xf32>) -> tensor<4xf32> {
// CHECK-NEXT: ^bb0(%[[KX:.*]]: tensor<4x8xf32>, %[[OUT:.*]]: tensor<4xf32>):
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[KX]] : tensor<4x8xf32>) outs(%[[OUT]] : tensor<4xf32>)
// CHECK: return %[[Y]]
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
func.func @state_is_destination(%x: tensor<4x8xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %y = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%x : tensor<4x8xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// A reader of the old value keeps its place before the update, and an update has a kernel of its own.
// CHECK-LABEL: @order_stays
// CHECK-SAME: %[[X:.*]]: tensor<4xf32> {weft.name = "x"}, %[[S:.*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[OLD:.*]] = weft.kernel "map"(%[[S]], %{{.*}} :
// CHECK: %[[NEW:.*]] = weft.kernel "map"(%[[X]], %[[S]] :
// CHECK: %[[Y:.*]] = weft.kernel "map"(%[[OLD]], %[[NEW]], %{{.*}} :
// CHECK: return %[[Y]], %[[NEW]]
#v = affine_map<(n) -> (n)>
func.func @order_stays(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "y"}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<4xf32>
  // expected-remark@+1 {{it reads a tensor before that is written over}}
  %old = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = math.exp %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  // expected-remark@+1 {{its result is read outside the kernel too}}
  %new = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#v, #v, #v], iterator_types = ["parallel"]} ins(%old, %new : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %r = arith.mulf %a, %b : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y, %new : tensor<4xf32>, tensor<4xf32>
}

// -----

// A result in a state's memory would change with the next call: an output of its own is a copy.
// CHECK-LABEL: @output_is_copied
// CHECK-SAME: %[[X:.*]]: tensor<4xf32> {weft.name = "x"}, %[[S:.*]]: tensor<4xf32> {weft.name = "s", weft.state}
// CHECK: %[[NEW:.*]] = weft.kernel "map"(%[[X]], %[[S]] :
// CHECK: %[[COPY:.*]] = weft.kernel "map"(%[[NEW]], %{{.*}} :
// CHECK: return %[[COPY]], %[[NEW]]
#v = affine_map<(n) -> (n)>
func.func @output_is_copied(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "y"}, tensor<4xf32> {weft.name = "s", weft.state}) attributes {weft.entry} {
  // expected-remark@+1 {{its result is read outside the kernel too}}
  %new = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %new, %new : tensor<4xf32>, tensor<4xf32>
}

// -----

// What the op does not own it copies first, in the same kernel.
// CHECK-LABEL: @input_is_copied
// CHECK-SAME: %[[X:[^ ]*]]: tensor<4xf32> {weft.name = "x"}, %[[S:[^ ]*]]: tensor<4xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<4xf32>
// CHECK: weft.kernel "map"(%[[X]], %[[S]], %[[E]] :
// CHECK: ^bb0(%[[KX:[^ ]*]]: tensor<4xf32>, %[[KS:[^ ]*]]: tensor<4xf32>, %[[OUT:[^ ]*]]: tensor<4xf32>):
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[KS]] : tensor<4xf32>) outs(%[[OUT]] :
// CHECK: linalg.generic {{.*}} ins(%[[KX]] : tensor<4xf32>) outs(%[[COPY]] :
#v = affine_map<(n) -> (n)>
func.func @input_is_copied(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s"}) -> (tensor<4xf32> {weft.name = "y"}) attributes {weft.entry} {
  %y = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%s : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.addf %o, %a : f32
    linalg.yield %r : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
