// RUN: weft-opt %s --split-input-file --weft-split-recurrence --canonicalize --cse | FileCheck %s

// A wanted length cuts several heads too. Heads and rows of S are one dimension where S goes from part to part, and
// decays of rows, which have no columns, lie along lanes.
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d2, d4)>
// CHECK-DAG: #[[TURNED:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 16 + 1, d1, d4)>
// CHECK-DAG: #[[HEADS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2, d1, d4)>
// CHECK-LABEL: @heads
// CHECK: %[[ADDED:.*]] = weft.recurrence {{.*}} state(%{{.*}} : tensor<4x4x8x16xf32>)
// CHECK: %[[DECAYS:.*]] = weft.recurrence {indexing_maps = [#[[ROWS]], #[[TURNED]]]} {{.*}} state(%{{.*}} : tensor<4x4x8xf32>)
// CHECK-DAG: %[[X:.*]] = tensor.collapse_shape %[[ADDED]] {{.*}} into tensor<4x32x16xf32>
// CHECK-DAG: %[[D:.*]] = tensor.collapse_shape %[[DECAYS]] {{.*}} into tensor<4x32xf32>
// CHECK: %[[S:.*]] = weft.recurrence {indexing_maps = [#[[HEADS]], {{.*}}]} ins(%[[X]], %[[D]] :
// CHECK: %[[VIEW:.*]] = tensor.expand_shape %[[S]]
// CHECK: %[[BEFORE:.*]] = linalg.copy ins(%[[VIEW]] :
// CHECK: weft.recurrence {{.*}} state(%[[BEFORE]] :
module attributes {weft.part_length = 16 : i64} {
func.func @heads(%v: tensor<4x50x16xf32>, %k: tensor<4x50x8xf32>, %g: tensor<4x50x8xf32>, %init: tensor<4x50x16xf32>) -> tensor<4x50x16xf32> {
  %y = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (h, t, e)>, affine_map<(b, h, t, n, e) -> (h, t, n)>,
                                         affine_map<(b, h, t, n, e) -> (h, t, n)>, affine_map<(b, h, t, n, e) -> (h, t, e)>]}
    ins(%v, %k, %g : tensor<4x50x16xf32>, tensor<4x50x8xf32>, tensor<4x50x8xf32>) outs(%init : tensor<4x50x16xf32>)
    step {
    ^bb0(%value: f32, %key: f32, %decay: f32):
      weft.step query(%key) key(%key) value(%value) decay(%decay)
    } -> tensor<4x50x16xf32>
  return %y : tensor<4x50x16xf32>
}
}

// -----

// A complex decay that does not depend on time: its product over a part still takes the part's steps. One input says how
// many.
// CHECK-LABEL: @constant_decay
// CHECK: %[[VECTOR:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0] [1, %{{.*}}, 1] [1, 1, 1] : tensor<1x?x16xf32> to tensor<?xf32>
// CHECK: weft.recurrence {{.*}}%[[VECTOR]] : tensor<16xf32>, tensor<16xf32>, tensor<?xf32>) state(
// CHECK: weft.step value(%cst{{.*}}) decay(%{{.*}}, %{{.*}})
// CHECK: weft.step value(%{{.*}}, %{{.*}}) decay(%{{.*}}, %{{.*}})
// CHECK: output
module attributes {weft.part_length = 16 : i64} {
func.func @constant_decay(%v: tensor<1x?x16xf32>, %re: tensor<16xf32>, %im: tensor<16xf32>, %init: tensor<1x?x16xf32>) -> tensor<1x?x16xf32> {
  %y = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (e)>,
                                         affine_map<(b, h, t, n, e) -> (e)>, affine_map<(b, h, t, n, e) -> (b, t, e)>]}
    ins(%v, %re, %im : tensor<1x?x16xf32>, tensor<16xf32>, tensor<16xf32>) outs(%init : tensor<1x?x16xf32>)
    step {
    ^bb0(%value: f32, %r: f32, %i: f32):
      weft.step value(%value) decay(%r, %i)
    } -> tensor<1x?x16xf32>
  return %y : tensor<1x?x16xf32>
}
}

// -----

// A term of low rank keeps the time in one piece, and so does a length of 0.
// CHECK-LABEL: @negative_low_rank
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
module attributes {weft.part_length = 16 : i64} {
func.func @negative_low_rank(%v: tensor<1x?x16xf32>, %k: tensor<1x?x8xf32>, %init: tensor<1x?x16xf32>) -> tensor<1x?x16xf32> {
  %y = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, n)>, affine_map<(b, h, t, n, e) -> (b, t, e)>]}
    ins(%v, %k : tensor<1x?x16xf32>, tensor<1x?x8xf32>) outs(%init : tensor<1x?x16xf32>)
    step {
    ^bb0(%value: f32, %key: f32):
      weft.step query(%key) key(%key) value(%value) low_rank(%key, %key)
    } -> tensor<1x?x16xf32>
  return %y : tensor<1x?x16xf32>
}
}

// -----

// CHECK-LABEL: @negative_off
// CHECK-COUNT-1: weft.recurrence
// CHECK-NOT: weft.recurrence
module attributes {weft.part_length = 0 : i64} {
func.func @negative_off(%v: tensor<1x?x16xf32>, %init: tensor<1x?x16xf32>) -> tensor<1x?x16xf32> {
  %y = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, e)>]}
    ins(%v : tensor<1x?x16xf32>) outs(%init : tensor<1x?x16xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    } -> tensor<1x?x16xf32>
  return %y : tensor<1x?x16xf32>
}
}
