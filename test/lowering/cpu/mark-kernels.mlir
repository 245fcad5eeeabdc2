// RUN: weft-opt %s --weft-mark-kernels | FileCheck %s

gpu.module @kernels {
  // CHECK: llvm.func @k() attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>}
  llvm.func @k() attributes {gpu.kernel, weft.threads = 128 : i32} {
    llvm.return
  }
  // CHECK: llvm.func @called() {
  llvm.func @called() {
    llvm.return
  }
  // A tensor map is passed by value.
  // CHECK: llvm.func @mapped(%{{.*}}: i64, %{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant})
  llvm.func @mapped(%n: i64, %map: !llvm.ptr {weft.tensor_map}) attributes {gpu.kernel, weft.threads = 128 : i32} {
    llvm.return
  }
}
