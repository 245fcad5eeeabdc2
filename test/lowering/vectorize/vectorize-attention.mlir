// RUN: weft-opt %s --weft-vectorize-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// 16 queries in lanes, 256 of them share a block of 96 keys, whose rows are packed: the scores exist as one block for 16
// queries only. Both products are register tiles of 6 rows; a hidden key's score is −inf.
// CHECK-LABEL: @padding
// CHECK-SAME: (%[[Q:.*]]: memref<1x?x1x8xf32>, %[[K:.*]]: memref<1x?x1x8xf32>, %[[M:.*]]: memref<1x?xi64>, %[[O:.*]]: memref<1x?x1x8xf32>)
// CHECK-DAG: %[[HIDDEN:.*]] = arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK-DAG: %[[QT:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8x256xf32>
// CHECK-DAG: %[[KEYS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<102x8xf32>
// CHECK-DAG: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<102x16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c256 {
// Queries are transposed.
// CHECK-COUNT-8: vector.store {{.*}}, %[[QT]]
// Keys are packed.
// CHECK: scf.for %{{.*}} step %c96
// CHECK: vector.load %[[K]]
// CHECK: vector.store %{{.*}}, %[[KEYS]]
// CHECK: scf.for %{{.*}} step %c16
// CHECK: scf.for %{{.*}} step %c6 iter_args
// CHECK: %[[KEY:.*]] = memref.load %[[KEYS]]
// CHECK: %[[BROADCAST:.*]] = vector.broadcast %[[KEY]] : f32 to vector<8xf32>
// CHECK: vector.fma %[[BROADCAST]]
// CHECK: %[[PADDED:.*]] = memref.load %[[M]]
// CHECK: %[[VISIBLE:.*]] = arith.cmpi ne, %[[PADDED]]
// CHECK: %[[SCORE:.*]] = arith.select %[[VISIBLE]], %{{.*}}, %[[HIDDEN]]
// CHECK: vector.store %[[SCORE]], %[[S]]
// A row that sees no key is 0, not 0 / 0.
// CHECK: arith.cmpf oeq
// CHECK: arith.divf
// CHECK: vector.store {{.*}}, %[[O]]
// CHECK-NOT: weft.attention
func.func @padding(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %m: memref<1x?xi64>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #o]}
    ins(%q, %k, %k, %m : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?xi64>)
    outs(%o : memref<1x?x1x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    }
  return
}

// The score region works on vectors of queries.
// CHECK-LABEL: @score
// CHECK: math.tanh %{{.*}} : vector<8xf32>
func.func @score(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>) outs(%o : memref<1x?x1x8xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %capped = math.tanh %s : f32
      weft.yield %capped : f32
    }
  return
}

// CHECK-LABEL: @log_sum_exp
// CHECK: math.log %{{.*}} : vector<8xf32>
// CHECK: vector.maskedstore {{.*}} : memref<1x1x?xf32>
func.func @log_sum_exp(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %o: memref<1x?x1x8xf32>, %l: memref<1x1x?xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
    ins(%q, %k, %k : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>)
    outs(%o, %l : memref<1x?x1x8xf32>, memref<1x1x?xf32>)
  return
}

// Head dimension 20, value dimension 12: masked loads of queries, a masked store of the last values.
// CHECK-LABEL: @odd_dimensions
// CHECK: vector.maskedload {{.*}} : memref<1x?x1x20xf32>
// CHECK: vector.maskedstore {{.*}} : memref<1x?x1x12xf32>
func.func @odd_dimensions(%q: memref<1x?x1x20xf32>, %k: memref<1x?x1x20xf32>, %v: memref<1x?x1x12xf32>, %o: memref<1x?x1x12xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x?x1x20xf32>, memref<1x?x1x20xf32>, memref<1x?x1x12xf32>) outs(%o : memref<1x?x1x12xf32>)
  return
}
}
