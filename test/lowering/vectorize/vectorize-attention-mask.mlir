// RUN: weft-opt %s --weft-vectorize-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// Causal: the last key is the last query's; a tile whose last key is no later than its first query has no mask at all.
// CHECK-LABEL: @causal
// CHECK: scf.for %[[QUERY:.*]] = %c0 to %{{.*}} step %c256
// CHECK: %[[FAR:.*]] = arith.addi %[[QUERY]], %c255 : index
// CHECK-NEXT: %[[LAST:.*]] = arith.minsi %[[FAR]], %{{.*}} : index
// CHECK-NEXT: %[[SEEN:.*]] = arith.minsi %{{.*}}, %[[LAST]] : index
// CHECK-NEXT: %[[END:.*]] = arith.addi %[[SEEN]], %c1 : index
// CHECK-NEXT: scf.for %{{.*}} = %c0 to %[[END]] step %c96
// CHECK: scf.if %{{.*}} -> (vector<8xf32>, vector<8xf32>) {
// CHECK-NOT: vector<8xindex>
// CHECK: } else {
// CHECK: arith.cmpi {{.*}} : vector<8xindex>
func.func @causal(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>) outs(%o : memref<1x?x1x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %visible = arith.cmpi sle, %j, %i : index
      weft.yield %visible : i1
    }
  return
}

// A window from both sides: the first key is bounded too.
// CHECK-LABEL: @window
// CHECK: %[[FIRST:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %{{.*}} step %c96
func.func @window(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>) outs(%o : memref<1x?x1x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %reach = arith.constant 64 : index
      %before = arith.subi %i, %j : index
      %after = arith.subi %j, %i : index
      %x = arith.cmpi sle, %before, %reach : index
      %y = arith.cmpi sle, %after, %reach : index
      %visible = arith.andi %x, %y : i1
      weft.yield %visible : i1
    }
  return
}

// Causal and padded: where the causal part holds for the whole tile, the padding alone is looked at.
// CHECK-LABEL: @padded
// CHECK-SAME: %[[M:[a-z0-9]+]]: memref<1x?xi64>
// CHECK: scf.if
// CHECK: %[[P:.*]] = memref.load %[[M]]
// CHECK: %[[REAL:.*]] = arith.cmpi ne, %[[P]]
// CHECK-NOT: vector<8xindex>
// CHECK: } else {
// CHECK: arith.cmpi {{.*}} : vector<8xindex>
func.func @padded(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %m: memref<1x?xi64>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #m, #o]}
    ins(%q, %k, %k, %m : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?xi64>)
    outs(%o : memref<1x?x1x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %real = arith.cmpi ne, %p, %zero : i64
      %causal = arith.cmpi sle, %j, %i : index
      %visible = arith.andi %causal, %real : i1
      weft.yield %visible : i1
    }
  return
}

// Positions that come with the queries: the greatest of an item's bounds its keys, and where the least of a tile's is
// beyond a tile of keys there is no mask.
// CHECK-LABEL: @last_positions
// CHECK-SAME: %[[P:[a-z0-9]+]]: memref<1x?xi64>
// CHECK: %[[ENDS:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} iter_args(%[[LOW:.*]] = %{{.*}}, %[[HIGH:.*]] = %{{.*}}) -> (i64, i64)
// CHECK: %[[LAST:.*]] = memref.load %[[P]]
// CHECK-DAG: arith.minsi %[[LOW]], %[[LAST]]
// CHECK-DAG: arith.maxsi %[[HIGH]], %[[LAST]]
// CHECK: %[[MOST:.*]] = arith.select %{{.*}}, %c2147483648_i64, %[[ENDS]]#1 : i64
// CHECK: %[[SEEN:.*]] = arith.index_cast %[[MOST]] : i64 to index
// CHECK: arith.minsi %{{.*}}, %[[SEEN]]
// CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c96
// CHECK: scf.if %{{.*}} -> (vector<8xf32>, vector<8xf32>) {
// CHECK-NOT: vector<8xindex>
// CHECK: } else {
// CHECK: arith.cmpi {{.*}} : vector<8xindex>
func.func @last_positions(%q: memref<1x?x1x8xf32>, %k: memref<1x?x1x8xf32>, %p: memref<1x?xi64>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #p, #o]}
    ins(%q, %k, %k, %p : memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?x1x8xf32>, memref<1x?xi64>)
    outs(%o : memref<1x?x1x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %last: i64):
      %end = arith.index_cast %last : i64 to index
      %visible = arith.cmpi sle, %j, %end : index
      weft.yield %visible : i1
    }
  return
}
}
