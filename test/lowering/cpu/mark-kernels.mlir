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
}
