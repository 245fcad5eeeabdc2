// A launch becomes a call of the runtime's service with the kernel's number and its arguments' addresses.
// RUN: weft-opt %s --weft-convert-launches | FileCheck %s

module attributes {gpu.container_module} {
  // CHECK-LABEL: func.func private @map(
  // CHECK-SAME: %[[CALL:.*]]: !llvm.ptr, %[[N:.*]]: index, %[[COUNT:.*]]: i64)
  // CHECK-DAG: %[[ARRAY:.*]] = llvm.alloca %{{.*}} x !llvm.ptr
  // CHECK-DAG: %[[SLOT:.*]] = llvm.alloca %{{.*}} x i64
  // CHECK: %[[SERVICES:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
  // CHECK: llvm.getelementptr %[[SERVICES]][16]
  // CHECK: %[[LAUNCH:.*]] = llvm.load
  // CHECK: %[[NUMBER:.*]] = arith.constant 1 : i32
  // CHECK: %[[BLOCKS:.*]] = arith.index_cast %[[N]] : index to i64
  // CHECK: llvm.store %[[COUNT]], %[[SLOT]] : i64, !llvm.ptr
  // CHECK: llvm.store %[[SLOT]], %{{.*}} : !llvm.ptr, !llvm.ptr
  // CHECK: llvm.call %[[LAUNCH]](%[[CALL]], %[[NUMBER]], %[[BLOCKS]], %{{.*}}, %{{.*}}, %[[ARRAY]])
  // CHECK-NOT: gpu.launch_func
  func.func private @map(%call: !llvm.ptr, %n: index, %count: i64) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    gpu.launch_func @kernels::@k blocks in (%n, %c1, %c1) threads in (%c128, %c1, %c1) args(%count : i64)
    return
  }
  gpu.module @kernels {
    func.func @other(%count: i64) attributes {gpu.kernel} {
      return
    }
    func.func @k(%count: i64) attributes {gpu.kernel} {
      return
    }
  }
}
