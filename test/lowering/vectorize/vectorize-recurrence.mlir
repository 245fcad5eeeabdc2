// RUN: weft-opt %s --split-input-file --weft-vectorize-recurrence --canonicalize --cse | FileCheck %s

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Both rows of S go from step to step in registers, and to the next block of 32 steps through a scratch.
// CHECK-LABEL: @whole_state
// CHECK-SAME: (%[[V:.*]]: memref<1x?x16xf32>, %[[Q:.*]]: memref<1x?x2xf32>, %[[Y:.*]]: memref<1x?x16xf32>)
// CHECK: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x2x16xf32>
// CHECK: scf.for %[[FIRST:.*]] = %c0 to %{{.*}} step %c32
// CHECK: %[[R:.*]]:2 = scf.for %[[I:.*]] = %c0 to %{{.*}} step %c1 iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK: %[[T:.*]] = arith.addi %[[FIRST]], %[[I]]
// CHECK: memref.prefetch %[[V]]
// CHECK: %[[VALUE:.*]] = vector.load %[[V]][%{{.*}}, %[[T]], %{{.*}}]
// CHECK: %[[NEXT:.*]] = arith.addf %[[A]], %[[VALUE]]
// CHECK: vector.store %{{.*}}, %[[Y]][%{{.*}}, %[[T]], %{{.*}}]
// CHECK: scf.yield %[[NEXT]], %{{.*}}
// CHECK: vector.store %[[R]]#0, %[[S]]
// CHECK-NOT: weft.recurrence
func.func @whole_state(%v: memref<1x?x16xf32>, %q: memref<1x?x2xf32>, %y: memref<1x?x16xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #te]}
    ins(%v, %q : memref<1x?x16xf32>, memref<1x?x2xf32>) outs(%y : memref<1x?x16xf32>)
    step {
    ^bb0(%value: f32, %query: f32):
      weft.step query(%query) value(%value)
    }
  return
}

// One step reads and writes the state operand itself; a reset selects zeros.
// CHECK-LABEL: @one_step
// CHECK-SAME: %[[STATE:[a-z0-9]+]]: memref<1x2x16xf32>
// CHECK-NOT: memref.alloca
// CHECK: vector.load %[[STATE]]
// CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[STATE]]
func.func @one_step(%v: memref<1x1x16xf32>, %q: memref<1x1x2xf32>, %r: memref<1x1xi8>, %y: memref<1x1x16xf32>,
                    %s: memref<1x2x16xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #t, #te, #ne]}
    ins(%v, %q : memref<1x1x16xf32>, memref<1x1x2xf32>) reset(%r : memref<1x1xi8>) outs(%y : memref<1x1x16xf32>)
    state(%s : memref<1x2x16xf32>)
    step {
    ^bb0(%value: f32, %query: f32):
      weft.step query(%query) value(%value)
    }
  return
}

}

// -----

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
#ne = affine_map<(b, h, t, n, e) -> (b, n, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// Two rows of four vectors at a time: o is a scratch of a block of time, and so is a decay that all rows share.
// CHECK-LABEL: @rows_take_turns
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<8x128x8xf32>
// CHECK-DAG: %[[O:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x32x4x8xf32>
// CHECK-DAG: %[[G:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32xf32>
// CHECK: math.exp
// CHECK: memref.store %{{.*}}, %[[G]]
// CHECK: scf.for %{{.*}} = %c0 to %c128 step %c2
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> ({{(vector<8xf32>(, )?)+}}) {
// CHECK-NOT: math.exp
// CHECK: memref.load %[[G]]
// CHECK: vector.store %{{.*}}, %[[O]]
// CHECK: vector.load %[[O]]
func.func @rows_take_turns(%v: memref<1x?x64xf32>, %q: memref<1x?x128xf32>, %g: memref<1x?xf32>, %y: memref<1x?x64xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #t, #te]}
    ins(%v, %q, %g : memref<1x?x64xf32>, memref<1x?x128xf32>, memref<1x?xf32>) outs(%y : memref<1x?x64xf32>)
    step {
    ^bb0(%value: f32, %query: f32, %log: f32):
      %decay = math.exp %log : f32
      weft.step query(%query) value(%value) decay(%decay)
    }
  return
}

// A term of low rank needs a sum over all rows before a row changes: each step passes the rows twice.
// CHECK-LABEL: @low_rank
// CHECK: %[[RECALLED:[0-9]+]]:2 = scf.for {{.*}} step %c4 iter_args
// CHECK: scf.for {{.*}} step %c4 iter_args
// CHECK: vector.fma %{{.*}}, %[[RECALLED]]#0
func.func @low_rank(%v: memref<1x?x16xf32>, %k: memref<1x?x32xf32>, %y: memref<1x?x16xf32>) {
  weft.recurrence {indexing_maps = [#te, #tn, #te]}
    ins(%v, %k : memref<1x?x16xf32>, memref<1x?x32xf32>) outs(%y : memref<1x?x16xf32>)
    step {
    ^bb0(%value: f32, %key: f32):
      %minus = arith.negf %key : f32
      weft.step query(%key) key(%key) value(%value) low_rank(%key, %minus)
    }
  return
}
}
