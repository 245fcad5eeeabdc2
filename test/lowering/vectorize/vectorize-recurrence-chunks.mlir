// RUN: weft-opt %s --weft-vectorize-recurrence --canonicalize --cse | FileCheck %s

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Eight steps at once: sums over n for pairs of steps, times the decays between them, and one passage of S that sums for the
// eight steps and brings it behind them. What is left goes step by step.
// CHECK-LABEL: @decayed
// CHECK-DAG: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<4x128x16xf32>
// CHECK-DAG: %[[ROWS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<5x8x128xf32>
// 36 pairs in three vectors, of which the last begins at 32: what is beyond the pairs is written, since it is read.
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<48xf32>
// CHECK-NEXT: %[[DECAYS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<48xf32>
// CHECK: vector.store %{{.*}}, %[[DECAYS]][%c32]
// CHECK: scf.while
// CHECK: arith.addi %{{.*}}, %c8
// CHECK: scf.if
// CHECK: vector.store %{{.*}}, %[[ROWS]]
// CHECK: vector.shuffle
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c1 iter_args({{.*}}) -> ({{(vector<16xf32>(, )?)+}}) {
// CHECK: vector.load %[[S]]
// CHECK: vector.fma
// CHECK: vector.store %{{.*}}, %[[S]]
// CHECK: scf.yield
// CHECK: } else {
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c4
func.func @decayed(%v: memref<1x?x64xf32>, %q: memref<1x?x128xf32>, %k: memref<1x?x128xf32>, %g: memref<1x?xf32>, %y: memref<1x?x64xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #tn, #t, #te]}
    ins(%v, %q, %k, %g : memref<1x?x64xf32>, memref<1x?x128xf32>, memref<1x?x128xf32>, memref<1x?xf32>) outs(%y : memref<1x?x64xf32>)
    step {
    ^bb0(%value: f32, %query: f32, %key: f32, %decay: f32):
      weft.step query(%query) key(%key) value(%value) decay(%decay)
    }
  return
}

// Without outputs there are no sums, and no products of queries and keys.
// CHECK-LABEL: @state_alone
// CHECK-NOT: vector.shuffle
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c1 {
// CHECK-COUNT-8: vector.fma
// CHECK-NOT: vector.fma
// CHECK: vector.store
func.func @state_alone(%v: memref<1x?x64xf32>, %k: memref<1x?x128xf32>, %g: memref<1x?xf32>, %s: memref<1x128x64xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #t, affine_map<(b, h, t, n, e) -> (b, n, e)>]}
    ins(%v, %k, %g : memref<1x?x64xf32>, memref<1x?x128xf32>, memref<1x?xf32>) state(%s : memref<1x128x64xf32>)
    step {
    ^bb0(%value: f32, %key: f32, %decay: f32):
      weft.step key(%key) value(%value) decay(%decay)
    }
  return
}

// A chunk has no reset but at its first step, so that a sequence's chunks begin where it does.
// CHECK-LABEL: @reset
// CHECK: scf.while
// CHECK: %[[WHOLE:.*]] = scf.if %{{.*}} -> (i1) {
// CHECK-COUNT-7: memref.load %{{.*}} : memref<1x?xi8>
// CHECK: scf.if %[[WHOLE]]
func.func @reset(%v: memref<1x?x64xf32>, %q: memref<1x?x128xf32>, %k: memref<1x?x128xf32>, %r: memref<1x?xi8>, %y: memref<1x?x64xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #tn, #t, #te]}
    ins(%v, %q, %k : memref<1x?x64xf32>, memref<1x?x128xf32>, memref<1x?x128xf32>) reset(%r : memref<1x?xi8>) outs(%y : memref<1x?x64xf32>)
    step {
    ^bb0(%value: f32, %query: f32, %key: f32):
      weft.step query(%query) key(%key) value(%value)
    }
  return
}

// The term of low rank needs its sums before S changes: two passages of S for eight steps.
// CHECK-LABEL: @low_rank
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c1 iter_args({{.*}}) -> ({{(vector<16xf32>(, )?)+}}) {
// CHECK-NOT: vector.store
// CHECK: scf.yield
// CHECK: scf.for {{.*}} = %c0 to %c128 step %c1 {
// CHECK: vector.store
func.func @low_rank(%v: memref<1x?x64xf32>, %k: memref<1x?x128xf32>, %y: memref<1x?x64xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #te]}
    ins(%v, %k : memref<1x?x64xf32>, memref<1x?x128xf32>) outs(%y : memref<1x?x64xf32>)
    step {
    ^bb0(%value: f32, %key: f32):
      %minus = arith.negf %key : f32
      weft.step query(%key) key(%key) value(%value) low_rank(%key, %minus)
    }
  return
}
}
