// RUN: weft-opt %s --weft-absorb-elementwise --canonicalize | FileCheck %s

#row = affine_map<(b, e) -> (b, e)>
#te = affine_map<(b, h, t, n, e) -> (t, e)>
// What computes the decay goes into the step region, what reads the sum into the output region.
// CHECK: #[[TE:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d4)>
// CHECK-LABEL: func @both_sides(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %[[LOG:[a-z0-9]+]]: tensor<?x8xf32>, %[[Z:[a-z0-9]+]]: tensor<?x8xf32>, %[[E:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.*]] = weft.recurrence {indexing_maps = [#[[TE]], #[[TE]], #[[TE]], #[[TE]]]} ins(%[[X]], %[[LOG]], %[[Z]] :
// CHECK-SAME: outs(%[[E]] : tensor<?x8xf32>) step {
// CHECK-NEXT: ^bb0(%[[V:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[EXP:.*]] = math.exp %[[L]]
// CHECK-NEXT: weft.step value(%[[V]]) decay(%[[EXP]])
// CHECK: output {
// CHECK-NEXT: ^bb0(%[[O:.*]]: f32, %{{.*}}: f32, %{{.*}}: f32, %[[GATE:.*]]: f32):
// CHECK-NEXT: %[[GATED:.*]] = arith.mulf %[[O]], %[[GATE]]
// CHECK-NEXT: weft.yield %[[GATED]]
// CHECK: return %[[Y]]
func.func @both_sides(%x: tensor<?x8xf32>, %log: tensor<?x8xf32>, %z: tensor<?x8xf32>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %g = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
       ins(%log : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%l: f32, %o: f32):
    %exp = math.exp %l : f32
    linalg.yield %exp : f32
  } -> tensor<?x8xf32>
  %s = weft.recurrence {indexing_maps = [#te, #te, #te]} ins(%x, %g : tensor<?x8xf32>, tensor<?x8xf32>)
       outs(%e : tensor<?x8xf32>)
       step {
       ^bb0(%value: f32, %decay: f32):
         weft.step value(%value) decay(%decay)
       } -> tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [#row, #row, #row], iterator_types = ["parallel", "parallel"]}
       ins(%s, %z : tensor<?x8xf32>, tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%sum: f32, %gate: f32, %o: f32):
    %gated = arith.mulf %sum, %gate : f32
    linalg.yield %gated : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// The activation of a convolution, and a rounding of its result.
// CHECK-LABEL: func @convolution(
// CHECK: %[[Y:.*]] = weft.causal_conv {{.*}} extras(%{{.*}} : tensor<8xf32>) outs(%{{.*}} : tensor<?x?x8xbf16>)
// CHECK: ^bb0(%[[SUM:.*]]: f32, %[[SCALE:.*]]: f32):
// CHECK-NEXT: %[[SCALED:.*]] = arith.mulf %[[SUM]], %[[SCALE]]
// CHECK-NEXT: %[[ROUNDED:.*]] = arith.truncf %[[SCALED]] : f32 to bf16
// CHECK-NEXT: weft.yield %[[ROUNDED]]
// CHECK: return %[[Y]]
func.func @convolution(%x: tensor<?x?x8xf32>, %w: tensor<8x4xf32>, %scale: tensor<8xf32>, %e: tensor<?x?x8xf32>,
                       %f: tensor<?x?x8xbf16>) -> tensor<?x?x8xbf16> {
  %c = weft.causal_conv ins(%x, %w : tensor<?x?x8xf32>, tensor<8x4xf32>) outs(%e : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, t, d) -> (b, t, d)>, affine_map<(b, t, d) -> (d)>, affine_map<(b, t, d) -> (b, t, d)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
       ins(%c, %scale : tensor<?x?x8xf32>, tensor<8xf32>) outs(%f : tensor<?x?x8xbf16>) {
  ^bb0(%sum: f32, %s: f32, %o: bf16):
    %scaled = arith.mulf %sum, %s : f32
    %rounded = arith.truncf %scaled : f32 to bf16
    linalg.yield %rounded : bf16
  } -> tensor<?x?x8xbf16>
  return %y : tensor<?x?x8xbf16>
}

// What another op reads too stays, and so does a producer that would run for each of many columns.
// CHECK-LABEL: func @negative_other_readers(
// CHECK: linalg.generic
// CHECK: weft.recurrence
// CHECK: linalg.generic
func.func @negative_other_readers(%k: tensor<4096xf32>, %x: tensor<4096x8192xf32>, %e: tensor<4096xf32>, %f: tensor<4096x8192xf32>)
    -> (tensor<4096x8192xf32>, tensor<4096x8192xf32>) {
  %g = linalg.generic {indexing_maps = [affine_map<(t) -> (t)>, affine_map<(t) -> (t)>], iterator_types = ["parallel"]}
       ins(%k : tensor<4096xf32>) outs(%e : tensor<4096xf32>) {
  ^bb0(%l: f32, %o: f32):
    %exp = math.exp %l : f32
    linalg.yield %exp : f32
  } -> tensor<4096xf32>
  %s = weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t)>, #te]}
       ins(%x, %g : tensor<4096x8192xf32>, tensor<4096xf32>) outs(%f : tensor<4096x8192xf32>)
       step {
       ^bb0(%value: f32, %decay: f32):
         weft.step value(%value) decay(%decay)
       } -> tensor<4096x8192xf32>
  %y = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
       ins(%s : tensor<4096x8192xf32>) outs(%f : tensor<4096x8192xf32>) {
  ^bb0(%sum: f32, %o: f32):
    %n = arith.negf %sum : f32
    linalg.yield %n : f32
  } -> tensor<4096x8192xf32>
  return %s, %y : tensor<4096x8192xf32>, tensor<4096x8192xf32>
}

// Recurrences give floats of at most 32 bits: a reader that makes integers stays.
// CHECK-LABEL: func @negative_integers(
// CHECK: weft.recurrence
// CHECK: linalg.generic
// CHECK: arith.fptosi
func.func @negative_integers(%x: tensor<?x8xf32>, %e: tensor<?x8xf32>, %f: tensor<?x8xi64>) -> tensor<?x8xi64> {
  %s = weft.recurrence {indexing_maps = [#te, #te]} ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>)
       step {
       ^bb0(%value: f32):
         weft.step value(%value)
       } -> tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [#row, #row], iterator_types = ["parallel", "parallel"]}
       ins(%s : tensor<?x8xf32>) outs(%f : tensor<?x8xi64>) {
  ^bb0(%sum: f32, %o: i64):
    %n = arith.fptosi %sum : f32 to i64
    linalg.yield %n : i64
  } -> tensor<?x8xi64>
  return %y : tensor<?x8xi64>
}
