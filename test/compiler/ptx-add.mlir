// A kernel as PTX: the entry, its block, the launcher's two hidden pointers; the same bytes each time.
// RUN: weft-translate --weft-to-ptx %s | FileCheck %s
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 %s | FileCheck %s --check-prefix=SM80
// RUN: rm -rf %t && weft-translate --weft-to-ptx --ptx-dir=%t %s -o %t.first
// RUN: weft-translate --weft-to-ptx %s -o %t.second && cmp %t.first %t.second
// RUN: FileCheck %s --check-prefix=JSON < %t/add.json

module attributes {weft.target = #weft.target<isa = "sm_90a", lanes = 32, registers = 255, cpu = "sm_90a", features = "+ptx83">} {
  // Code of the host is not looked at.
  func.func private @encode()

  // CHECK: // add: 128 threads, 0 bytes of dynamic shared memory
  // CHECK: .version 8.3
  // CHECK-NEXT: .target sm_90a
  // CHECK-NEXT: .address_size 64
  // CHECK-NOT: .visible
  // CHECK: .visible .entry add(
  // CHECK-NEXT: .param .u64 .ptr .global .align 1 add_param_0,
  // CHECK-NEXT: .param .u64 .ptr .global .align 1 add_param_1,
  // CHECK-NEXT: .param .u64 add_param_2,
  // CHECK-NEXT: .param .u64 .ptr .global .align 1 add_param_3,
  // CHECK-NEXT: .param .u64 .ptr .global .align 1 add_param_4
  // CHECK-NEXT: )
  // CHECK-NEXT: .reqntid 128
  // CHECK: add{{(.rn)?}}.f32
  // CHECK: ret;
  // CHECK-NOT: .visible
  // SM80: .target sm_80
  gpu.module @kernels {
    llvm.func @add(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>, %n: i64)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>} {
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %threads = llvm.mlir.constant(128 : i32) : i32
      %base = llvm.mul %block, %threads : i32
      %sum = llvm.add %base, %thread : i32
      %i = llvm.sext %sum : i32 to i64
      %inside = llvm.icmp "slt" %i, %n : i64
      llvm.cond_br %inside, ^bb1, ^bb2
    ^bb1:
      %from = llvm.getelementptr %x[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %to = llvm.getelementptr %y[%i] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
      %a = llvm.load %from : !llvm.ptr<1> -> f32
      %b = llvm.load %to : !llvm.ptr<1> -> f32
      %c = llvm.fadd %a, %b : f32
      llvm.store %c, %to : f32, !llvm.ptr<1>
      llvm.br ^bb2
    ^bb2:
      llvm.return
    }
  }
}

// JSON: "name": "add"
// JSON: "arch": 90
// JSON: "warp_size": 32
// JSON: "num_warps": 4
// JSON: "num_ctas": 1
// JSON: "shared": 0
// JSON: "global_scratch_size": 0
// JSON: "profile_scratch_size": 0
// JSON: "launch_cooperative_grid": false
// JSON: "launch_pdl": false
// JSON: "p0": "*i8"
// JSON: "p1": "*i8"
// JSON: "p2": "i64"
