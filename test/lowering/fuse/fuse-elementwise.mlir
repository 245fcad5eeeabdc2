// RUN: weft-opt %s --weft-fuse-elementwise --canonicalize | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: @chain
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK: %[[SUM:.*]] = arith.addf
// CHECK-NEXT: %[[TANH:.*]] = math.tanh %[[SUM]]
// CHECK-NEXT: linalg.yield %[[TANH]]
// CHECK-NOT: linalg.generic
func.func @chain(%x: tensor<?x8xf32>, %r: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = weft.kernel "map"(%x, %r, %e : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%kx: tensor<?x8xf32>, %kr: tensor<?x8xf32>, %out: tensor<?x8xf32>):
    %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
         ins(%kx, %kr : tensor<?x8xf32>, tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %sum = arith.addf %a, %b : f32
      linalg.yield %sum : f32
    } -> tensor<?x8xf32>
    %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %tanh = math.tanh %a : f32
      linalg.yield %tanh : f32
    } -> tensor<?x8xf32>
    weft.yield %t : tensor<?x8xf32>
  }
  return %y : tensor<?x8xf32>
}

// The first op's result has two readers: it would be computed twice.
// CHECK-LABEL: @negative_two_readers
// CHECK-COUNT-3: linalg.generic
func.func @negative_two_readers(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %y:2 = weft.kernel "map"(%x, %e, %e : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>, tensor<?x8xf32> {
  ^bb0(%kx: tensor<?x8xf32>, %out0: tensor<?x8xf32>, %out1: tensor<?x8xf32>):
    %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%kx : tensor<?x8xf32>) outs(%out0 : tensor<?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %exp = math.exp %a : f32
      linalg.yield %exp : f32
    } -> tensor<?x8xf32>
    %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x8xf32>) outs(%out0 : tensor<?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %tanh = math.tanh %a : f32
      linalg.yield %tanh : f32
    } -> tensor<?x8xf32>
    %u = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x8xf32>) outs(%out1 : tensor<?x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %erf = math.erf %a : f32
      linalg.yield %erf : f32
    } -> tensor<?x8xf32>
    weft.yield %t, %u : tensor<?x8xf32>, tensor<?x8xf32>
  }
  return %y#0, %y#1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// Outside of kernels nothing changes: fuse-kernels decides first.
// CHECK-LABEL: @negative_outside_of_kernels
// CHECK-COUNT-2: linalg.generic
func.func @negative_outside_of_kernels(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %exp = math.exp %a : f32
    linalg.yield %exp : f32
  } -> tensor<?x8xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %tanh = math.tanh %a : f32
    linalg.yield %tanh : f32
  } -> tensor<?x8xf32>
  return %t : tensor<?x8xf32>
}
