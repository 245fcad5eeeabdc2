// Inline assembly is convergent: LLVM would copy the barrier into both sides of the branch, where the threads of a warp
// wait for each other on different ones.
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a %s | FileCheck %s

// CHECK: .entry divergent
// CHECK: bar.sync
// CHECK-NOT: bar.sync
gpu.module @kernels {
  llvm.func @divergent(%p: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>} {
    %thread = nvvm.read.ptx.sreg.tid.x : i32
    %sixteen = llvm.mlir.constant(16 : i32) : i32
    %one = llvm.mlir.constant(1 : i32) : i32
    %two = llvm.mlir.constant(2 : i32) : i32
    %low = llvm.icmp "slt" %thread, %sixteen : i32
    llvm.cond_br %low, ^bb1, ^bb2
  ^bb1:
    llvm.inline_asm has_side_effects "st.global.u32 [$0], 7;", "l" %p : (!llvm.ptr<1>) -> ()
    llvm.br ^bb3(%one : i32)
  ^bb2:
    llvm.br ^bb3(%two : i32)
  ^bb3(%value: i32):
    llvm.inline_asm has_side_effects "bar.sync 0;", "" : () -> ()
    %isOne = llvm.icmp "eq" %value, %one : i32
    llvm.cond_br %isOne, ^bb4, ^bb5
  ^bb4:
    llvm.store %thread, %p : i32, !llvm.ptr<1>
    llvm.br ^bb5
  ^bb5:
    llvm.return
  }
}
