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
  // A tensor map is encoded first: bf16 (4), two dimensions, boxes of 64 x 128, a swizzle of 128 bytes.
  // CHECK-LABEL: func.func private @mapped(
  // CHECK-SAME: %[[CALL:[a-z0-9]*]]: !llvm.ptr, %[[N:[a-z0-9]*]]: index, %[[COUNT:[a-z0-9]*]]: i64, %[[AT:[a-z0-9]*]]: !llvm.ptr<1>, %[[COLUMNS:[a-z0-9]*]]: i64, %[[ROWS:[a-z0-9]*]]: i64
  // CHECK-DAG: %[[ARRAY:.*]] = llvm.alloca %{{.*}} x !llvm.ptr
  // CHECK-DAG: %[[MAP:.*]] = llvm.alloca %{{.*}} x i8 {alignment = 64 : i64}
  // CHECK-DAG: %[[DESCRIBED:.*]] = llvm.alloca %{{.*}} x i8 {alignment = 8 : i64}
  // CHECK: %[[ADDRESS:.*]] = llvm.addrspacecast %[[AT]]
  // CHECK: llvm.store %[[ADDRESS]]
  // CHECK: llvm.store %[[COLUMNS]]
  // CHECK: arith.constant 64 : i32
  // CHECK: llvm.store %[[ROWS]]
  // CHECK: arith.constant 128 : i32
  // CHECK: llvm.call %{{.*}}(%[[CALL]], %[[DESCRIBED]], %[[MAP]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
  // CHECK: llvm.store %[[MAP]], %{{.*}} : !llvm.ptr, !llvm.ptr
  // CHECK: llvm.call %{{.*}}(%[[CALL]], {{.*}}, %[[ARRAY]])
  func.func private @mapped(%call: !llvm.ptr, %n: index, %count: i64, %at: !llvm.ptr<1>, %columns: i64, %rows: i64, %one: i64, %stride: i64) {
    %c1 = arith.constant 1 : index
    %c128 = arith.constant 128 : index
    gpu.launch_func @kernels::@k2 blocks in (%n, %c1, %c1) threads in (%c128, %c1, %c1) args(%count : i64, %at : !llvm.ptr<1>, %columns : i64, %rows : i64, %one : i64, %stride : i64) {weft.tensor_maps = [array<i64: 4, 128, 64, 128>]}
    return
  }
  gpu.module @kernels {
    func.func @other(%count: i64) attributes {gpu.kernel} {
      return
    }
    func.func @k(%count: i64) attributes {gpu.kernel} {
      return
    }
    func.func @k2(%count: i64, %map: !llvm.ptr {weft.tensor_map}) attributes {gpu.kernel} {
      return
    }
  }
}
