// RUN: weft-opt %s --weft-vectorize-matmul | FileCheck %s

// Rows in bf16 are widened once for a tile, the last, partial vector read with a mask; the sum reads f32.
// CHECK-LABEL: @halves(
// CHECK: %[[WIDE:.*]] = memref.alloca() {alignment = 64 : i64} : memref<9x32xf32>
// CHECK: vector.load %{{.*}} : memref<9x20xbf16{{.*}}, vector<16xbf16>
// CHECK: vector.store %{{.*}}, %[[WIDE]]{{.*}} : memref<9x32xf32>, vector<16xf32>
// CHECK: vector.maskedload
// CHECK: vector.store %{{.*}}, %[[WIDE]]
// CHECK: scf.for
// CHECK: memref.load %[[WIDE]]
// CHECK: vector.fma
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @halves(%x: memref<9x20xbf16>, %w: memref<1x10x32xbf16>, %y: memref<9x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<9x20xbf16>, memref<1x10x32xbf16>) outs(%y : memref<9x16xf32>)
  return
}

// A depth that is not known has no scratch: each number is widened where it is read.
// CHECK-LABEL: @unknown_depth(
// CHECK-NOT: memref.alloca
// CHECK: %[[HALF:.*]] = memref.load %{{.*}} : memref<{{.*}}xf16
// CHECK: arith.extf %[[HALF]] : f16 to f32
func.func @unknown_depth(%x: memref<9x?xf16>, %w: memref<1x?x32xf16>, %y: memref<9x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<9x?xf16>, memref<1x?x32xf16>) outs(%y : memref<9x16xf32>)
  return
}

// Rounding is long without an instruction: it runs on sums that pass through a buffer, not on each accumulator.
// CHECK-LABEL: @rounded(
// CHECK: %[[STAGING:.*]] = memref.alloca() {alignment = 64 : i64} : memref<9x16xf32>
// CHECK-COUNT-9: vector.store %{{.*}}, %[[STAGING]]
// CHECK: arith.truncf {{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.store %{{.*}} : memref<9x16xbf16>, vector<16xbf16>
func.func @rounded(%x: memref<9x20xf32>, %w: memref<1x10x32xbf16>, %y: memref<9x16xbf16>) {
  %s = memref.alloca() : memref<9x16xf32>
  weft.packed_matmul ins(%x, %w : memref<9x20xf32>, memref<1x10x32xbf16>) outs(%s : memref<9x16xf32>)
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%s : memref<9x16xf32>) outs(%y : memref<9x16xbf16>) {
  ^bb0(%p: f32, %o: bf16):
    %r = arith.truncf %p : f32 to bf16
    linalg.yield %r : bf16
  }
  return
}
}
