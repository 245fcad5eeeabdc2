// RUN: weft-opt %s --weft-vectorize-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// 512 queries share blocks of 480 keys; scores and weights exist for 96 keys and 32 queries. Operands of products are
// tiles of bf16; a head dimension of 40 is two steps, and a value dimension of 24 two tiles.
// CHECK-LABEL: @stored
// CHECK-SAME: (%[[Q:.*]]: memref<1x?x1x40xbf16>, %[[K:.*]]: memref<1x?x1x40xbf16>, %[[V:.*]]: memref<1x?x1x24xbf16>,
// CHECK-DAG: %[[OT:.*]] = memref.alloca() {alignment = 64 : i64} : memref<512x32xf32>
// CHECK-DAG: %[[QT:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32x2x16x32xbf16>
// CHECK-DAG: %[[KEYS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<30x2x16x32xbf16>
// CHECK-DAG: %[[VALUES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<15x2x16x32xbf16>
// CHECK-DAG: %[[P:.*]] = memref.alloca() {alignment = 64 : i64} : memref<3x2x16x32xbf16>
// CHECK-DAG: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<96x32xf32>
// Keys are rows, 8 of whose last step exist; values are transposed.
// CHECK: vector.load %[[K]]{{.*}} vector<32xbf16>
// CHECK: vector.maskedload %[[K]]{{.*}} vector<32xbf16>
// CHECK: vector.load %[[V]]{{.*}} vector<16xbf16>
// CHECK: vector.shuffle
// CHECK: vector.store {{.*}}, %[[VALUES]]
// CHECK: amx.tile_load %[[KEYS]]
// CHECK: amx.tile_load %[[QT]]
// CHECK: amx.tile_mulf
// CHECK: amx.tile_store %[[S]]
// A lane's reference grows only by much; then Oᵀ is rescaled.
// CHECK: vector.reduction <or>
// CHECK: scf.if
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// The weights of two keys are a word.
// CHECK: vector.bitcast {{.*}} : vector<16xi32> to vector<32xbf16>
// CHECK: vector.store {{.*}}, %[[P]]
// CHECK: amx.tile_load %[[VALUES]]
// CHECK: amx.tile_load %[[P]]
// CHECK: amx.tile_mulf
func.func @stored(%q: memref<1x?x1x40xbf16>, %k: memref<1x?x1x40xbf16>, %v: memref<1x?x1x24xbf16>, %o: memref<1x?x1x24xbf16>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x?x1x40xbf16>, memref<1x?x1x40xbf16>, memref<1x?x1x24xbf16>)
    outs(%o : memref<1x?x1x24xbf16>)
  return
}

// f32 may be rounded where the op says so; a padding mask is applied to the scores.
// CHECK-LABEL: @rounded
// CHECK: vector.load {{.*}} vector<16xf32>
// CHECK: arith.truncf {{.*}} vector<16xf32> to vector<16xbf16>
// CHECK: amx.tile_mulf
// CHECK: arith.select
func.func @rounded(%q: memref<1x?x1x32xf32>, %k: memref<1x?x1x32xf32>, %m: memref<1x?xi64>, %o: memref<1x?x1x32xf32>) {
  weft.attention {scale = 0.5 : f32, product_type = bf16, indexing_maps = [#q, #k, #v, #m, #o]}
    ins(%q, %k, %k, %m : memref<1x?x1x32xf32>, memref<1x?x1x32xf32>, memref<1x?x1x32xf32>, memref<1x?xi64>)
    outs(%o : memref<1x?x1x32xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    }
  return
}

// Without leave, f32 keeps its kernel.
// CHECK-LABEL: @exact
// CHECK-NOT: amx
// CHECK: vector.fma
func.func @exact(%q: memref<1x?x1x32xf32>, %k: memref<1x?x1x32xf32>, %o: memref<1x?x1x32xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x1x32xf32>, memref<1x?x1x32xf32>, memref<1x?x1x32xf32>) outs(%o : memref<1x?x1x32xf32>)
  return
}
}
