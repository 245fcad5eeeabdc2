// Scratch that is larger than a block's shared memory is a part of what the launch gets in global memory.
// RUN: weft-opt %s --weft-outline-launches --remarks-filter-missed=weft-outline-launches --remark-format=emitRemark 2>&1 | FileCheck %s

#target = #weft.target<isa = "sm_86", lanes = 16, registers = 32, cpu = "sm_86", features = "">
module attributes {weft.target = #target} {
// CHECK: remark: {{.*}}an item needs 400000 bytes of scratch, which a block's shared memory of 101376 does not hold
// CHECK-LABEL: func.func private @huge(
// CHECK: dynamic_shared_memory_size %c0_i32
// CHECK: llvm.func @weft_launch_scratch() -> !llvm.ptr<1>
// CHECK: func.func @huge
// CHECK-SAME: weft.scratch_bytes = 3200000 : i64
// CHECK: %[[BLOCK:.*]] = nvvm.read.ptx.sreg.ctaid.x
// CHECK: %[[BASE:.*]] = llvm.call @weft_launch_scratch()
// CHECK: llvm.getelementptr %[[BASE]]
// CHECK: llvm.addrspacecast %{{.*}} : !llvm.ptr<1> to !llvm.ptr
func.func private @huge(%x: memref<16xf32>) attributes {weft.kernel = "map"} {
  scf.forall (%i) in (4) {
    %buffer = memref.alloca() : memref<100000xf32>
    %v = vector.load %x[%i] : memref<16xf32>, vector<16xf32>
    vector.store %v, %buffer[%i] : memref<100000xf32>, vector<16xf32>
  }
  return
}
}
