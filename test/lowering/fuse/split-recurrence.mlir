// RUN: weft-opt %s --weft-split-recurrence --canonicalize --cse --remarks-filter-missed=weft-split-recurrence --remarks-filter-passed=weft-split-recurrence --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
#n = affine_map<(b, h, t, n, e) -> (t, n)>
#e = affine_map<(b, h, t, n, e) -> (t, e)>
#time = affine_map<(b, h, t, n, e) -> (t)>

// CHECK-DAG: #[[SLOTS:.*]] = affine_map<()[s0] -> (s0 floordiv 512 + 1)>
// CHECK-DAG: #[[WHOLE:.*]] = affine_map<()[s0] -> ((s0 floordiv 512) * 512)>
// CHECK-DAG: #[[NEXT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 512 + 1, d0, d3, d4)>
// CHECK-DAG: #[[NEXT_DECAY:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 512 + 1, d0)>
// CHECK-DAG: #[[OWN:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 512, d0, d3, d4)>
// CHECK-DAG: #[[OWN_ALL:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 512, d0, d4)>

// What whole parts add to S and their decays, in the slots of the parts after them; S before each; all again from there.
// CHECK-LABEL: @one_head
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<?x64x32xf32>)
// CHECK: %[[N:.*]] = affine.apply #[[SLOTS]]()
// CHECK: %[[STEPS:.*]] = affine.apply #[[WHOLE]]()
// CHECK: %[[ZEROS:.*]] = linalg.generic
// CHECK: %[[KEYS:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0] [%{{.*}}, %[[STEPS]], 64] [1, 1, 1]
// CHECK: %[[ADDED:.*]] = weft.recurrence {{.*}}#[[NEXT]]]} ins(%[[KEYS]], {{.*}}) state(%[[ZEROS]] : tensor<?x?x64x32xf32>) step {
// CHECK: weft.step key(%{{.*}}) value(%{{.*}}) decay(%{{.*}})
// CHECK: %[[ONES:.*]] = linalg.generic
// CHECK: %[[DECAYS:.*]] = weft.recurrence {{.*}}#[[NEXT_DECAY]]]} ins(%{{.*}} : tensor<?x?xf32>) state(%[[ONES]] : tensor<?x?xf32>) step {
// CHECK: weft.step value(%cst{{.*}}) decay(%{{.*}})
// CHECK: %[[START:.*]] = linalg.copy ins(%[[S]] :
// CHECK: %[[BEFORE:.*]]:2 = weft.recurrence {{.*}} ins(%[[ADDED]], %[[DECAYS]] : {{.*}}) outs({{.*}}) state(%[[START]] :
// CHECK: %[[ALL:.*]]:2 = weft.recurrence {{.*}}#[[OWN]]]} {{.*}} outs({{.*}}) state(%[[BEFORE]]#0 :
// CHECK: weft.step query(%{{.*}}) key(%{{.*}}) value(%{{.*}}) decay(%{{.*}})
// CHECK: %[[LAST:.*]] = tensor.extract_slice %[[ALL]]#1
// CHECK: %[[END:.*]] = linalg.copy ins(%[[LAST]] : {{.*}}) outs(%[[S]] :
// CHECK: return %[[ALL]]#0, %[[END]]
func.func @one_head(%k: tensor<?x?x64xf32>, %v: tensor<?x?x32xf32>, %g: tensor<?x?xf32>, %init: tensor<?x?x32xf32>, %s: tensor<?x64x32xf32>) -> (tensor<?x?x32xf32>, tensor<?x64x32xf32>) {
  // expected-remark@+1 {{parts of 512 steps run beside one another, with 1.67 times the work in all}}
  %y:2 = weft.recurrence {indexing_maps = [#tn, #te, #t, #te, #ne]}
    ins(%k, %v, %g : tensor<?x?x64xf32>, tensor<?x?x32xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?x32xf32>) state(%s : tensor<?x64x32xf32>)
    step {
    ^bb0(%key: f32, %value: f32, %decay: f32):
      weft.step query(%key) key(%key) value(%value) decay(%decay)
    } -> tensor<?x?x32xf32>, tensor<?x64x32xf32>
  return %y#0, %y#1 : tensor<?x?x32xf32>, tensor<?x64x32xf32>
}

// Against the time a part's slot is its own, and the first part is nobody's predecessor. Without decays S adds up.
// CHECK-LABEL: @reverse
// CHECK: %[[FIRST:.*]] = affine.min
// CHECK: tensor.extract_slice %{{.*}}[0, %[[FIRST]], 0]
// CHECK: weft.recurrence {{.*}}#[[OWN_ALL]]], reverse} {{.*}} state(
// CHECK: weft.recurrence {{.*}} reverse} ins({{.*}} : tensor<?x?x8xf32>) outs(
// CHECK: weft.recurrence {{.*}}#[[OWN_ALL]]], reverse} {{.*}} outs({{.*}}) state(
// CHECK-NOT: weft.recurrence
func.func @reverse(%v: tensor<?x?x8xf32>, %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // expected-remark@+1 {{parts of 512 steps}}
  %y = weft.recurrence {indexing_maps = [#te, #te], reverse} ins(%v : tensor<?x?x8xf32>) outs(%init : tensor<?x?x8xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    } -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// Without a batch and without a state.
// CHECK-LABEL: @no_batch
// CHECK-COUNT-4: weft.recurrence
func.func @no_batch(%k: tensor<?x8xf32>, %v: tensor<?x16xf32>, %g: tensor<?xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
    // expected-remark@+1 {{parts of 512 steps}}
    %y = weft.recurrence {indexing_maps = [#n, #e, #time, #e]} ins(%k, %v, %g : tensor<?x8xf32>, tensor<?x16xf32>, tensor<?xf32>)
         outs(%init : tensor<?x16xf32>)
         step {
         ^bb0(%key: f32, %value: f32, %decay: f32):
           weft.step key(%key) value(%value) decay(%decay)
         } -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// Columns are items too.
// CHECK-LABEL: @negative_columns
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
func.func @negative_columns(%v: tensor<?x?x64xf32>, %init: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %y = weft.recurrence {indexing_maps = [#te, #te]} ins(%v : tensor<?x?x64xf32>) outs(%init : tensor<?x?x64xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    } -> tensor<?x?x64xf32>
  return %y : tensor<?x?x64xf32>
}

// Nobody waits for less than two parts.
// CHECK-LABEL: @negative_short
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
func.func @negative_short(%v: tensor<1x1000x8xf32>, %init: tensor<1x1000x8xf32>) -> tensor<1x1000x8xf32> {
  %y = weft.recurrence {indexing_maps = [#te, #te]} ins(%v : tensor<1x1000x8xf32>) outs(%init : tensor<1x1000x8xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    } -> tensor<1x1000x8xf32>
  return %y : tensor<1x1000x8xf32>
}

// CHECK-LABEL: @negative_reset
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
func.func @negative_reset(%v: tensor<?x?x8xf32>, %r: tensor<?x?xi64>, %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // expected-remark@+1 {{the time stays in one piece: a sequence that starts anew must give the bits that it gives alone}}
  %y = weft.recurrence {indexing_maps = [#te, #t, #te]} ins(%v : tensor<?x?x8xf32>) reset(%r : tensor<?x?xi64>) outs(%init : tensor<?x?x8xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    } -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// An exponential for each element of S is dear.
// CHECK-LABEL: @negative_mamba
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
func.func @negative_mamba(%v: tensor<?x?x8xf32>, %a: tensor<16x8xf32>, %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  // expected-remark@+1 {{the time stays in one piece: in parts it takes 2.}}
  %y = weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (n, e)>, #te]} ins(%v, %a : tensor<?x?x8xf32>, tensor<16x8xf32>) outs(%init : tensor<?x?x8xf32>)
    step {
    ^bb0(%value: f32, %rate: f32):
      %log = arith.mulf %value, %rate : f32
      %decay = math.exp %log : f32
      weft.step value(%value) decay(%decay)
    } -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}
