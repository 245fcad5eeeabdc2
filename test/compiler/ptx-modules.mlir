// Each kernel is a file of its own, with the functions that it calls; the same code under two names is one file.
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a %s | FileCheck %s
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-kernel=second %s | FileCheck %s --check-prefix=ALONE

// CHECK: // first: 32 threads, 0 bytes
// CHECK: .visible .entry first(
// CHECK-NOT: .entry
// CHECK: // second: 64 threads, 2048 bytes
// CHECK-NOT: .entry first
// CHECK: .extern .shared .align 1024 .b8 global_smem[];
// CHECK: .visible .entry second(
// CHECK-NOT: .entry
// CHECK: // first: 32 threads, 0 bytes
// CHECK: .visible .entry first(
// CHECK-NOT: .visible .entry third

// ALONE-NOT: .entry first
// ALONE: .entry second
// ALONE-NOT: .entry first
gpu.module @kernels {
  llvm.mlir.global external @global_smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
  llvm.func @first(%to: !llvm.ptr<1>, %value: f32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %twice = llvm.call @twice(%value) : (f32) -> f32
    llvm.store %twice, %to : f32, !llvm.ptr<1>
    llvm.return
  }
  llvm.func @second(%to: !llvm.ptr<1>) attributes
      {nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>, weft.shared_bytes = 2048 : i64} {
    %smem = llvm.mlir.addressof @global_smem : !llvm.ptr<3>
    %thread = nvvm.read.ptx.sreg.tid.x : i32
    %own = llvm.getelementptr %smem[%thread] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
    llvm.store %thread, %own : i32, !llvm.ptr<3>
    nvvm.barrier0
    %value = llvm.load %smem : !llvm.ptr<3> -> i32
    llvm.store %value, %to : i32, !llvm.ptr<1>
    llvm.return
  }
  llvm.func @third(%to: !llvm.ptr<1>, %value: f32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %twice = llvm.call @twice(%value) : (f32) -> f32
    llvm.store %twice, %to : f32, !llvm.ptr<1>
    llvm.return
  }
  llvm.func @twice(%value: f32) -> f32 {
    %twice = llvm.fadd %value, %value : f32
    llvm.return %twice : f32
  }
}
