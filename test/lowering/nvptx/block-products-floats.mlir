// Weights in f32: rows and columns come through rings of shared memory, numbers are sums of two in tf32.
// RUN: weft-opt %s --weft-block-products --canonicalize --cse | FileCheck %s
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-blocks-phase -o %t/blocks.mlir
// RUN: weft-opt %t/blocks.mlir --weft-nvptx-phase --weft-cpu-phase -o %t/device.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/ptx %t/device.mlir | FileCheck %s --check-prefix=PTX
// RUN: %ptxas-gate --check %s %t/ptx/any.ptx %t/ptx/any_few.ptx

// GATE: any registers 128 shared 51200 stack 0
// GATE: any_few registers 96 shared 32768 stack 0

// PTX-LABEL: .entry any(
// PTX: cp.async.cg.shared.global
// PTX: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
// PTX-LABEL: .entry any_few(
// PTX: cp.async.cg.shared.global
// PTX: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32

#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @any(
// CHECK: scf.if
// CHECK: gpu.launch_func @kernels::@any_few {{.*}} threads in (%c32, %c1, %c1) dynamic_shared_memory_size %c32768_i32
// CHECK: gpu.launch_func @kernels::@any {{.*}} threads in (%c128, %c1, %c1) dynamic_shared_memory_size %c51200_i32
// CHECK: func.func @any(
// CHECK: %[[ROWS:.*]] = tile.alloc : !tile.buffer<128x16xf32, swizzle = 64, stages = 5>
// CHECK: %[[COLUMNS:.*]] = tile.alloc : !tile.buffer<32x16xf32, swizzle = 64, stages = 5>
// CHECK: tile.copy_async %[[X:.*]][%c0, %c0] in(%{{.*}}, %c256) stride %c256 to %{{.*}} {warps = 4 : i64}
// CHECK: tile.copy_async %[[W:.*]][%{{.*}}, %c0] in(%c64, %c256) stride %c256 to %{{.*}} {warps = 4 : i64}
// CHECK: tile.commit_copies
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c16
// CHECK: tile.wait_copies {pending = 3 : i64}
// CHECK-NEXT: tile.sync
// CHECK: tile.copy_async %[[X]]
// CHECK: tile.copy_async %[[W]]
// CHECK: tile.commit_copies
// CHECK: tile.mma %{{.*}}, b_transposed %{{.*}}, %{{.*}} {split}
// CHECK: tile.map
// CHECK: tile.store_global
// CHECK: func.func @any_few(
// CHECK: tile.alloc : !tile.buffer<16x16xf32, swizzle = 64, stages = 16>
// CHECK: tile.alloc : !tile.buffer<16x16xf32, swizzle = 64, stages = 16>
// CHECK: tile.mma %{{.*}}, b_transposed %{{.*}}, %{{.*}} {split}
func.func private @any(%x: memref<?x256xf32>, %w: memref<64x256x1xf32>, %y: memref<?x64xf32>, %n: index) attributes {weft.kernel = "linear"} {
  scf.forall (%i) = (0) to (%n) step (128) {
    %m = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 128)>(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 256] [1, 1] : memref<?x256xf32> to memref<?x256xf32, strided<[256, 1], offset: ?>>
    %yi = memref.subview %y[%i, 0] [%m, 64] [1, 1] : memref<?x64xf32> to memref<?x64xf32, strided<[64, 1], offset: ?>>
    weft.packed_matmul ins(%xi, %w : memref<?x256xf32, strided<[256, 1], offset: ?>>, memref<64x256x1xf32>) outs(%yi : memref<?x64xf32, strided<[64, 1], offset: ?>>)
  }
  return
}

// Rows of 30 elements are copied 8 bytes at a time, part of a row of 31 four.
// CHECK: func.func @ragged_few(
// CHECK: tile.copy_async {{.*}} {bytes = 4 : i64, warps = 1 : i64}
// CHECK: tile.copy_async {{.*}} {bytes = 8 : i64, warps = 1 : i64}
func.func private @ragged(%x: memref<3x31xf32>, %w: memref<64x30x1xf32>, %y: memref<3x64xf32>) attributes {weft.kernel = "linear"} {
  %xi = memref.subview %x[0, 0] [3, 30] [1, 1] : memref<3x31xf32> to memref<3x30xf32, strided<[31, 1]>>
  weft.packed_matmul ins(%xi, %w : memref<3x30xf32, strided<[31, 1]>>, memref<64x30x1xf32>) outs(%y : memref<3x64xf32>)
  return
}
}
