// RUN: weft-opt %s --weft-vectorize-decode-attention --canonicalize --cse | FileCheck %s

#qh = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#kh = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#vh = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#qh_out = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// Four query heads share a head of the keys: 4 rows × 2 keys in eight accumulators, whose lanes are added up by halves.
// CHECK-LABEL: @group
// CHECK-SAME: (%[[Q:.*]]: memref<1x4x1x64xf32>, %[[K:.*]]: memref<1x1x?x64xf32>, %[[O:.*]]: memref<1x4x1x64xf32>)
// CHECK-DAG: %[[QUERIES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32x8xf32>
// CHECK-DAG: %[[WEIGHTS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<64xf32>
// CHECK: scf.for %{{.*}} step %c16 {
// CHECK: scf.for %{{.*}} step %c2 iter_args
// The values of these keys are asked for while the keys are read, a line of each for every two vectors.
// CHECK: %[[KEY0:.*]] = vector.load %[[K]]
// CHECK: memref.prefetch %[[K]]
// CHECK-COUNT-4: vector.fma %{{.*}}, %[[KEY0]]
// CHECK: %[[KEY1:.*]] = vector.load %[[K]]
// CHECK: memref.prefetch %[[K]]
// CHECK-COUNT-4: vector.fma %{{.*}}, %[[KEY1]]
// CHECK: vector.shuffle {{.*}} [0, 9, 2, 11, 4, 13, 6, 15]
// CHECK: vector.store %{{.*}}, %[[WEIGHTS]]
// Two vectors of the values at a time.
// CHECK: %[[P:.*]] = memref.load %[[WEIGHTS]]
// CHECK: %[[B:.*]] = vector.broadcast %[[P]] : f32 to vector<8xf32>
// CHECK-COUNT-2: vector.fma %[[B]]
// CHECK: vector.store {{.*}}, %[[O]]
// CHECK-NOT: weft.attention
func.func @group(%q: memref<1x4x1x64xf32>, %k: memref<1x1x?x64xf32>, %o: memref<1x4x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#qh, #kh, #vh, #qh_out]}
    ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xf32>, memref<1x1x?x64xf32>)
    outs(%o : memref<1x4x1x64xf32>)
  return
}

// The heads of a token lie side by side: all of them meet a block of keys before the next one. The mask is evaluated on
// 4 keys of 2 rows, and is read once for both rows.
// CHECK-LABEL: @side_by_side
// CHECK-SAME: %[[M:[^:]*]]: memref<1x?xi64>
// CHECK: scf.for %{{.*}} step %c64 {
// CHECK: scf.for %{{.*}} = %c0 to %c3 step %c1 {
// CHECK: %[[PADDING:.*]] = vector.load %[[M]]{{.*}} : memref<1x?xi64>, vector<4xi64>
// CHECK: %[[VISIBLE:.*]] = arith.cmpi ne, %{{.*}} : vector<8xi64>
// CHECK: arith.select %[[VISIBLE]]
// CHECK: math.log
// CHECK-NOT: weft.attention
func.func @side_by_side(%q: memref<1x1x6x16xf32>, %k: memref<1x?x3x16xf32>, %m: memref<1x?xi64>, %o: memref<1x1x6x16xf32>, %l: memref<1x6x1xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #o, #l]}
    ins(%q, %k, %k, %m : memref<1x1x6x16xf32>, memref<1x?x3x16xf32>, memref<1x?x3x16xf32>, memref<1x?xi64>)
    outs(%o, %l : memref<1x1x6x16xf32>, memref<1x6x1xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    }
  return
}
}
