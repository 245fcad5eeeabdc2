// RUN: weft-opt %s --split-input-file --weft-map-products-to-amx --canonicalize --cse | FileCheck %s

// The example of the pass: 32 rows that begin with cache lines are loaded where they are, one step of 2 × 2 tiles, then
// each row scaled. Others are packed.
// CHECK-LABEL: @quantized(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<32x64xi8>, %[[XS:[a-z0-9]+]]: memref<32xf32>, %[[W:[a-z0-9]+]]: memref<2x16x64xi8>, %[[WS:[a-z0-9]+]]: memref<32xf32>, %[[Y:[a-z0-9]+]]: memref<32x32xf32>)
// CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[X]]
// CHECK: arith.remui %[[ADDRESS]], %c64
// CHECK: %[[PACKED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<4x1x32x64xi8>
// CHECK: %[[SUMS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<2x32x32xi32>
// CHECK: arith.select
// CHECK: vector.store %{{.*}}, %[[PACKED]]
// CHECK-COUNT-2: amx.tile_load %[[X]]
// CHECK-COUNT-2: amx.tile_load %[[W]]
// CHECK-COUNT-4: amx.tile_muli
// CHECK-COUNT-4: amx.tile_store %[[SUMS]]
// CHECK: amx.tile_load %[[PACKED]]
// CHECK: scf.for
// CHECK: memref.load %[[XS]]
// CHECK: arith.sitofp
// CHECK-COUNT-2: arith.mulf
// CHECK: vector.store %{{.*}}, %[[Y]]
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @quantized(%x: memref<32x64xi8>, %xs: memref<32xf32>, %w: memref<2x16x64xi8>, %ws: memref<32xf32>, %y: memref<32x32xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x64xi8>, memref<32xf32>, memref<2x16x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
  return
}
}

// -----

// bf16: rows of f32 are rounded; 25 words are a step of 16 and one shifted back to word 9, whose first 7 words are zero.
// Blocks of up to 16 rows, or of more.
// CHECK-LABEL: @halves(
// CHECK-DAG: %[[TAIL:.*]] = arith.constant dense<{{.*}}false, {{.*}}true{{.*}}> : vector<16xi1>
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<4x2x32x32xbf16>
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.maskedload
// CHECK: arith.cmpi ule, %{{.*}}, %c16
// CHECK: scf.if
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c2
// CHECK: arith.minui %{{.*}}, %c9
// CHECK-COUNT-2: amx.tile_mulf
// CHECK: else
// CHECK-COUNT-4: amx.tile_mulf
// CHECK: arith.addf
// CHECK: arith.maximumf
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @halves(%x: memref<?x50xf32>, %w: memref<3x25x32xbf16>, %bias: memref<40xf32>, %y: memref<?x40xf32>, %m: index) {
  %zero = arith.constant 0.0 : f32
  %t = memref.alloc(%m) : memref<?x40xf32>
  weft.packed_matmul ins(%x, %w, %bias : memref<?x50xf32>, memref<3x25x32xbf16>, memref<40xf32>) outs(%t : memref<?x40xf32>)
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%t : memref<?x40xf32>) outs(%y : memref<?x40xf32>) {
  ^bb0(%a: f32, %o: f32):
    %r = arith.maximumf %a, %zero : f32
    linalg.yield %r : f32
  }
  memref.dealloc %t : memref<?x40xf32>
  return
}
}

// -----

// Without the instructions the same in vectors.
// CHECK-LABEL: @vectors(
// CHECK-NOT: amx.tile
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK-NOT: amx.tile
module attributes {weft.target = #weft.target<isa = "amx-vectors", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @vectors(%x: memref<32x64xi8>, %xs: memref<32xf32>, %w: memref<2x16x64xi8>, %ws: memref<32xf32>, %y: memref<32x32xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x64xi8>, memref<32xf32>, memref<2x16x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
  return
}
}

// -----

// Other levels are left to other passes.
// CHECK-LABEL: @other(
// CHECK: weft.quantized_matmul
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @other(%x: memref<32x64xi8>, %xs: memref<32xf32>, %w: memref<2x16x64xi8>, %ws: memref<32xf32>, %y: memref<32x32xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x64xi8>, memref<32xf32>, memref<2x16x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
  return
}
}

// -----

// Results of 32 bits: 32 steps are four parts of 8 steps: a first one from zero, two that go on, and a last one before the results. The
// sums of four blocks of rows wait meanwhile.
// CHECK-LABEL: @cut(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<4x32x32xf32>
// CHECK: amx.tile_zero
// CHECK: scf.for %{{.*}} = %c0 to %c8
// CHECK: scf.for %{{.*}} = %c8 to %c24 step %c8
// CHECK-NOT: amx.tile_zero
// CHECK: scf.for %{{.*}} = %c0 to %c8
// CHECK: scf.for %{{.*}} = %c0 to %c8
// CHECK: vector.store %{{.*}}, %{{.*}} : memref<128x32xf32>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @cut(%x: memref<128x1024xf32>, %w: memref<2x512x32xbf16>, %y: memref<128x32xf32>) {
  weft.packed_matmul ins(%x, %w : memref<128x1024xf32>, memref<2x512x32xbf16>) outs(%y : memref<128x32xf32>)
  return
}
}

// -----

// Rows of bf16 are loaded where they are, but for those after the last whole block, which are packed. In each step two
// rows of the block before are stored from the other staging tile; what 13 steps leave comes after them. Hints are for
// the weight of the next columns and for the staging tile.
// CHECK-LABEL: @rows(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x416xbf16>, %[[W:[a-z0-9]+]]: memref<4x208x32xbf16>, %[[Y:[a-z0-9]+]]: memref<?x64xbf16>
// CHECK: %[[PACKED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<4x13x32x32xbf16>
// CHECK: %[[SUMS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<2x32x32xf32>
// CHECK: vector.store %{{.*}}, %[[PACKED]]
// CHECK: amx.tile_zero
// CHECK: scf.for %{{.*}} = %c0 to %c13
// CHECK-COUNT-4: memref.prefetch %[[W]]
// CHECK-COUNT-4: memref.prefetch %[[SUMS]]
// CHECK: scf.if
// CHECK-COUNT-4: vector.store %{{.*}}, %[[Y]]
// CHECK-COUNT-2: amx.tile_load %[[X]]
// CHECK-COUNT-2: amx.tile_load %[[W]]
// CHECK-COUNT-4: amx.tile_mulf
// CHECK-COUNT-4: amx.tile_store %[[SUMS]]
// CHECK: scf.for
// CHECK-COUNT-2: vector.store %{{.*}}, %[[Y]]
// CHECK: amx.tile_load %[[PACKED]]
// CHECK-COUNT-2: amx.tile_mulf
// CHECK: amx.tile_load %[[PACKED]]
// CHECK-COUNT-4: amx.tile_mulf
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @rows(%x: memref<?x416xbf16>, %w: memref<4x208x32xbf16>, %y: memref<?x64xbf16>, %m: index) {
  %t = memref.alloc(%m) : memref<?x64xf32>
  weft.packed_matmul ins(%x, %w : memref<?x416xbf16>, memref<4x208x32xbf16>) outs(%t : memref<?x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%t : memref<?x64xf32>) outs(%y : memref<?x64xbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %r = arith.truncf %a : f32 to bf16
    linalg.yield %r : bf16
  }
  memref.dealloc %t : memref<?x64xf32>
  return
}
}
