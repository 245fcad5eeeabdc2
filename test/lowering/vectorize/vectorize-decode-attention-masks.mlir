// RUN: weft-opt %s --weft-vectorize-decode-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#n = affine_map<(b, h, i, j, d, e) -> (b)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// A cache that is longer than what it holds: no key beyond the length is read.
// CHECK-LABEL: @length
// CHECK-SAME: %[[LENGTHS:[^:]*]]: memref<1xi64>
// CHECK: %[[LENGTH:.*]] = memref.load %[[LENGTHS]]
// CHECK: %[[HELD:.*]] = arith.index_cast %[[LENGTH]] : i64 to index
// CHECK: arith.minsi
// CHECK: %[[LAST:.*]] = arith.addi
// CHECK: %[[END:.*]] = arith.maxsi
// CHECK: scf.for %{{.*}} to %[[END]] step %c32
func.func @length(%q: memref<1x2x1x32xf32>, %k: memref<1x2x?x32xf32>, %n: memref<1xi64>, %o: memref<1x2x1x32xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #n, #o]}
    ins(%q, %k, %k, %n : memref<1x2x1x32xf32>, memref<1x2x?x32xf32>, memref<1x2x?x32xf32>, memref<1xi64>)
    outs(%o : memref<1x2x1x32xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %length: i64):
      %held = arith.index_cast %length : i64 to index
      %visible = arith.cmpi slt, %j, %held : index
      weft.yield %visible : i1
    }
  return
}

// A window over the last 100 keys before position %p: the first blocks of 32 keys are left out.
// CHECK-LABEL: @window
// CHECK-SAME: %[[P:[^:]*]]: index
// CHECK: arith.maxsi
// CHECK: %[[INTO:.*]] = arith.remui %{{.*}}, %c32
// CHECK: %[[SKIPPED:.*]] = arith.subi %{{.*}}, %[[INTO]]
// CHECK: scf.for %{{.*}} = %[[SKIPPED]] to %{{.*}} step %c32
func.func @window(%q: memref<1x2x1x32xf32>, %k: memref<1x2x?x32xf32>, %p: index, %o: memref<1x2x1x32xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x2x1x32xf32>, memref<1x2x?x32xf32>, memref<1x2x?x32xf32>) outs(%o : memref<1x2x1x32xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %c100 = arith.constant 100 : index
      %reach = arith.addi %j, %c100 : index
      %visible = arith.cmpi sgt, %reach, %p : index
      weft.yield %visible : i1
    }
  return
}

// The last position that each query sees bounds the keys as a length does.
// CHECK-LABEL: @last_positions
// CHECK-SAME: %[[P:[a-z0-9]+]]: memref<1x2xi64>
// CHECK-DAG: %[[A:.*]] = memref.load %[[P]][%{{.*}}, %c0]
// CHECK-DAG: %[[B:.*]] = memref.load %[[P]][%{{.*}}, %c1]
// CHECK: %[[LAST:.*]] = arith.maxsi %[[A]], %[[B]] : i64
// CHECK: %[[MOST:.*]] = arith.select %{{.*}}, %c2147483648_i64, %[[LAST]] : i64
// CHECK: %[[SEEN:.*]] = arith.index_cast %[[MOST]] : i64 to index
// CHECK: arith.minsi %{{.*}}, %[[SEEN]]
func.func @last_positions(%q: memref<1x2x2x32xf32>, %k: memref<1x2x?x32xf32>, %p: memref<1x2xi64>, %o: memref<1x2x2x32xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #p, #o]}
    ins(%q, %k, %k, %p : memref<1x2x2x32xf32>, memref<1x2x?x32xf32>, memref<1x2x?x32xf32>, memref<1x2xi64>)
    outs(%o : memref<1x2x2x32xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %last: i64):
      %end = arith.index_cast %last : i64 to index
      %visible = arith.cmpi sle, %j, %end : index
      weft.yield %visible : i1
    }
  return
}
}
