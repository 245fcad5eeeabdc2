// RUN: weft-opt %s --weft-vectorize-attention --canonicalize --cse | FileCheck %s
// RUN: sed 's/v4-bf16/v4-vnni/' %s | weft-opt --weft-vectorize-attention --canonicalize --cse | FileCheck %s --check-prefix=VNNI

#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Operands as for tiles: eight rows of keys times two vectors of queries, then eight of values times weights.
// CHECK-LABEL: @stored
// CHECK-NOT: amx
// CHECK-DAG: %[[QT:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32x1x16x32xbf16>
// CHECK-DAG: %[[KEYS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<30x1x16x32xbf16>
// CHECK-DAG: %[[P:.*]] = memref.alloca() {alignment = 64 : i64} : memref<3x2x16x32xbf16>
// CHECK-DAG: %[[S:.*]] = memref.alloca() {alignment = 64 : i64} : memref<96x32xf32>
// CHECK: vector.load %[[QT]]{{.*}} vector<32xbf16>
// CHECK: vector.load %[[QT]]{{.*}} vector<32xbf16>
// CHECK: vector.load %[[KEYS]]{{.*}} vector<2xbf16>
// CHECK: vector.broadcast {{.*}} i32 to vector<16xi32>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: vector.store {{.*}}, %[[S]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// CHECK: vector.store {{.*}}, %[[P]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
// CHECK: return

// Without the instruction products are of f32.
// VNNI-LABEL: @stored
// VNNI-NOT: dpbf16ps
// VNNI: vector.fma
func.func @stored(%q: memref<1x?x1x32xbf16>, %k: memref<1x?x1x32xbf16>, %o: memref<1x?x1x32xbf16>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x1x32xbf16>, memref<1x?x1x32xbf16>, memref<1x?x1x32xbf16>)
    outs(%o : memref<1x?x1x32xbf16>)
  return
}
}
