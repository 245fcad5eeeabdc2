// A barrier of the group between what one lane writes and another reads, and nowhere else.
// RUN: weft-opt %s --weft-synchronize-lanes --allow-unregistered-dialect | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: func.func @read_after_write
  // CHECK: %[[GROUP:.*]] = arith.shli
  // CHECK: vector.store
  // CHECK-NEXT: nvvm.bar.warp.sync %[[GROUP]] : i32
  // CHECK-NEXT: memref.load
  // CHECK-NEXT: nvvm.bar.warp.sync %[[GROUP]] : i32
  // CHECK-NEXT: memref.store
  func.func @read_after_write(%d: !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, %v: vector<16xf32>, %i: index) {
    %c0 = arith.constant 0 : index
    %scratch = builtin.unrealized_conversion_cast %d
        : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<16xf32> {weft.root = 3 : i64}
    vector.store %v, %scratch[%c0] : memref<16xf32>, vector<16xf32>
    %s = memref.load %scratch[%i] : memref<16xf32>
    memref.store %s, %scratch[%c0] : memref<16xf32>
    return
  }

  // Another buffer, seen through a view; then one of which nothing is known.
  // CHECK-LABEL: func.func @roots
  // CHECK: vector.store
  // CHECK-NEXT: vector.load
  // CHECK-NEXT: nvvm.bar.warp.sync
  // CHECK-NEXT: memref.load
  func.func @roots(%d: !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, %unknown: memref<16xf32>, %v: vector<16xf32>) -> f32 {
    %c0 = arith.constant 0 : index
    %a = builtin.unrealized_conversion_cast %d
        : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<32xf32> {weft.root = 0 : i64}
    %b = builtin.unrealized_conversion_cast %d
        : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<32xf32> {weft.root = 1 : i64}
    %part = memref.subview %b[16] [16] [1] : memref<32xf32> to memref<16xf32, strided<[1], offset: 16>>
    vector.store %v, %a[%c0] : memref<32xf32>, vector<16xf32>
    %w = vector.load %part[%c0] : memref<16xf32, strided<[1], offset: 16>>, vector<16xf32>
    %s = memref.load %unknown[%c0] : memref<16xf32>
    return %s : f32
  }

  // What the end of a turn writes the next turn reads.
  // CHECK-LABEL: func.func @loop
  // CHECK: scf.for
  // CHECK: nvvm.bar.warp.sync
  // CHECK-NEXT: memref.load
  // CHECK-NEXT: arith.addi
  // CHECK-NEXT: nvvm.bar.warp.sync
  // CHECK-NEXT: memref.store
  func.func @loop(%d: !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %counts = builtin.unrealized_conversion_cast %d
        : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<16xi32> {weft.root = 3 : i64}
    %one = arith.constant 1 : i32
    scf.for %i = %c0 to %n step %c1 {
      %old = memref.load %counts[%c0] : memref<16xi32>
      %new = arith.addi %old, %one : i32
      memref.store %new, %counts[%c0] : memref<16xi32>
    }
    return
  }

  // A barrier on one path alone does not help the other.
  // CHECK-LABEL: func.func @paths
  // CHECK: scf.if
  // CHECK: nvvm.bar.warp.sync
  // CHECK-NEXT: memref.load
  // CHECK: }
  // CHECK-NEXT: nvvm.bar.warp.sync
  // CHECK-NEXT: vector.load
  func.func @paths(%d: !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, %v: vector<16xf32>, %c: i1) -> vector<16xf32> {
    %c0 = arith.constant 0 : index
    %a = builtin.unrealized_conversion_cast %d
        : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)> to memref<16xf32> {weft.root = 3 : i64}
    vector.store %v, %a[%c0] : memref<16xf32>, vector<16xf32>
    scf.if %c {
      %s = memref.load %a[%c0] : memref<16xf32>
      "test.use"(%s) : (f32) -> ()
    }
    %w = vector.load %a[%c0] : memref<16xf32>, vector<16xf32>
    return %w : vector<16xf32>
  }
}
