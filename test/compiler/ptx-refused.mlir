// What a GPU cannot do is refused with the operation and its place; what LLVM cannot select is told without a crash.
// RUN: rm -rf %t && split-file %s %t
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_90a %t/exp.mlir 2>&1 | FileCheck %s --check-prefix=EXP
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_80 %t/sm.mlir 2>&1 | FileCheck %s --check-prefix=SM
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_90 %t/redux.mlir 2>&1 | FileCheck %s --check-prefix=REDUX
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_90a %t/call.mlir 2>&1 | FileCheck %s --check-prefix=CALL
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_90a %t/threads.mlir 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_90a %t/double.mlir 2>&1 | FileCheck %s --check-prefix=DOUBLE
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_70 %t/exp.mlir 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not weft-translate --weft-to-ptx --ptx-target=sm_80 %t/empty.mlir 2>&1 | FileCheck %s --check-prefix=EMPTY

// EXP: error[W0690]: LLVM could not make machine code: llvm.intr.exp cannot be selected for sm_90a: a GPU has no
// EXP: --> encoder.layer.3
//--- exp.mlir
gpu.module @kernels {
  llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %x = llvm.load %p : !llvm.ptr<1> -> f32
    %y = llvm.intr.exp(%x) : (f32) -> f32 loc("encoder.layer.3")
    llvm.store %y, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}
// SM: error[W0690]: {{.*}}nvvm.setmaxregister cannot be selected for sm_80: it needs sm_90a
//--- sm.mlir
gpu.module @kernels {
  llvm.func @k() attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>} {
    nvvm.setmaxregister increase 240
    llvm.return
  }
}
// The check knows instructions by their names only, and sm_90 lacks this one: LLVM's own word for it.
// REDUX-NOT: Stack dump
// REDUX: error[W0690]: LLVM could not make machine code: Cannot select: intrinsic %llvm.nvvm.redux.sync.fmax
// REDUX: --> k (reduction)
// REDUX: help: this is a bug in Weft
//--- redux.mlir
gpu.module @kernels {
  llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %x = llvm.load %p : !llvm.ptr<1> -> f32
    %all = llvm.mlir.constant(-1 : i32) : i32
    %y = llvm.call_intrinsic "llvm.nvvm.redux.sync.fmax"(%x, %all) : (f32, i32) -> f32
    llvm.store %y, %p : f32, !llvm.ptr<1>
    llvm.return
  } loc("reduction")
}
// CALL: error[W0690]: {{.*}}llvm.call cannot be selected for sm_90a: the device's code has no function '__nv_expf'
//--- call.mlir
gpu.module @kernels {
  llvm.func @__nv_expf(f32) -> f32
  llvm.func @k(%p: !llvm.ptr<1>, %x: f32) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %y = llvm.call @__nv_expf(%x) : (f32) -> f32
    llvm.store %y, %p : f32, !llvm.ptr<1>
    llvm.return
  }
}
// THREADS: error[W0690]: {{.*}}kernel 'k' needs nvvm.reqntid with 1 to 1024 threads along x alone
//--- threads.mlir
gpu.module @kernels {
  llvm.func @k() attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 2, 1>} {
    llvm.return
  }
}
// DOUBLE: error[W0690]: {{.*}}llvm.intr.exp2 cannot be selected for sm_90a: a GPU has exp2 of f32, f16 and bf16 only
//--- double.mlir
gpu.module @kernels {
  llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %x = llvm.load %p : !llvm.ptr<1> -> f64
    %y = llvm.intr.exp2(%x) : (f64) -> f64
    llvm.store %y, %p : f64, !llvm.ptr<1>
    llvm.return
  }
}
// TARGET: error[W0610]: the module says no GPU that it is for
// EMPTY: error[W0690]: {{.*}}the phases made no gpu.module @kernels
//--- empty.mlir
module {}
