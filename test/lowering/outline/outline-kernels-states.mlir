// RUN: weft-opt %s --split-input-file --weft-outline-kernels | FileCheck %s

// A state is one argument, which the kernel writes: no output, no memory of its own. Two updates share its memory.
// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[X:[^ ]*]]: memref<4xf32> {weft.name = "x"}, %[[S:[^ ]*]]: memref<4xf32> {weft.name = "s", weft.state}, %[[Y:[^ ]*]]: memref<4xf32> {weft.name = "y", weft.output})
// CHECK-NEXT: call @kernel_map_0(%[[X]], %[[S]])
// CHECK-NEXT: call @kernel_map_0(%[[X]], %[[S]])
// CHECK-NEXT: call @kernel_map_1(%[[S]], %[[Y]])
// CHECK-NEXT: return
// CHECK: func.func private @kernel_map_0(%[[KX:[^ ]*]]: memref<4xf32>, %[[KS:[^ ]*]]: memref<4xf32>)
// CHECK: %[[OLD:.*]] = bufferization.to_tensor %[[KS]] restrict writable
// CHECK: %[[NEW:.*]] = linalg.generic {{.*}} outs(%[[OLD]] :
// CHECK: bufferization.materialize_in_destination %[[NEW]] in restrict writable %[[KS]]
#v = affine_map<(n) -> (n)>
func.func @step(%x: tensor<4xf32> {weft.name = "x"}, %s: tensor<4xf32> {weft.name = "s", weft.state})
    -> (tensor<4xf32> {weft.name = "s", weft.state}, tensor<4xf32> {weft.name = "y"}) attributes {weft.entry} {
  %once = weft.kernel "map"(%x, %s : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %o, %a : f32
      linalg.yield %sum : f32
    } -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  %twice = weft.kernel "map"(%x, %once : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %o, %a : f32
      linalg.yield %sum : f32
    } -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  %empty = tensor.empty() : tensor<4xf32>
  %y = weft.kernel "map"(%twice, %empty : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.exp ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  return %twice, %y : tensor<4xf32>, tensor<4xf32>
}

// -----

// An output that is written over on the way has its memory from the first kernel on.
// CHECK-LABEL: func.func @output_written_over(
// CHECK-SAME: %[[X:[^ ]*]]: memref<4xf32> {weft.name = "x"}, %[[Y:[^ ]*]]: memref<4xf32> {weft.name = "y", weft.output})
// CHECK-NEXT: call @kernel_map_0(%[[X]], %[[Y]])
// CHECK-NEXT: call @kernel_map_1(%[[X]], %[[Y]])
// CHECK-NEXT: return
#v = affine_map<(n) -> (n)>
func.func @output_written_over(%x: tensor<4xf32> {weft.name = "x"}) -> (tensor<4xf32> {weft.name = "y"}) attributes {weft.entry} {
  %empty = tensor.empty() : tensor<4xf32>
  %once = weft.kernel "map"(%x, %empty : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.exp ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  %twice = weft.kernel "map"(%x, %once : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%kx: tensor<4xf32>, %out: tensor<4xf32>):
    %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%kx : tensor<4xf32>) outs(%out : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %o, %a : f32
      linalg.yield %sum : f32
    } -> tensor<4xf32>
    weft.yield %r : tensor<4xf32>
  }
  return %twice : tensor<4xf32>
}
