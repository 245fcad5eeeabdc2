// RUN: weft-opt %s --weft-absorb-elementwise --remarks-filter-missed=weft-absorb-elementwise --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#all = affine_map<(i, j) -> (i, j)>

// What each group of columns would compute again stays outside; one remark says so, though the value's producer and the
// output's reader become part of the op, which is looked at again after each.
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// CHECK-LABEL: @costly_decay
// CHECK: %[[DECAY:.*]] = linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: weft.recurrence {{.*}} ins(%[[DECAY]], %{{.*}} :
func.func @costly_decay(%a: tensor<512x16xf32>, %x: tensor<512x4096xf32>, %d: tensor<512x16xf32>, %e: tensor<512x4096xf32>) -> tensor<512x4096xf32> {
  // expected-remark@+1 {{in the recurrence: }}
  %decay = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
           ins(%a : tensor<512x16xf32>) outs(%d : tensor<512x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = math.exp %v : f32
    %1 = math.tanh %0 : f32
    %2 = math.exp %1 : f32
    %3 = math.tanh %2 : f32
    linalg.yield %3 : f32
  } -> tensor<512x16xf32>
  %value = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
           ins(%x : tensor<512x4096xf32>) outs(%e : tensor<512x4096xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = arith.negf %v : f32
    linalg.yield %0 : f32
  } -> tensor<512x4096xf32>
  %s = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (t, n)>, affine_map<(b, h, t, n, e) -> (t, e)>,
                                         affine_map<(b, h, t, n, e) -> (t, e)>]}
       ins(%decay, %value : tensor<512x16xf32>, tensor<512x4096xf32>) outs(%e : tensor<512x4096xf32>)
       step {
       ^bb0(%g: f32, %v: f32):
         weft.step value(%v) decay(%g)
       } -> tensor<512x4096xf32>
  %y = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
       ins(%s : tensor<512x4096xf32>) outs(%e : tensor<512x4096xf32>) {
  ^bb0(%v: f32, %o: f32):
    %0 = arith.addf %v, %v : f32
    linalg.yield %0 : f32
  } -> tensor<512x4096xf32>
  return %y : tensor<512x4096xf32>
}
}
