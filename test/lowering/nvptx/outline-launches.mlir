// A parallel loop becomes a device function, an item for 16 threads, and its launch.
// RUN: weft-opt %s --split-input-file --weft-outline-launches --verify-diagnostics | FileCheck %s

#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @k(
// CHECK: %[[COUNT:.*]] = arith.muli
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[COUNT]], %c8{{.*}} : index
// CHECK: gpu.launch_func @kernels::@k blocks in (%[[BLOCKS]], %{{[^,]*}}, %{{[^)]*}}) threads in (%c128, %{{[^,]*}}, %{{[^)]*}})
// CHECK-SAME: dynamic_shared_memory_size %c0_i32{{.*}} args(%{{[0-9]+}} : i64, %{{[0-9]+}} : !llvm.ptr<1>, %{{[0-9]+}} : i64, %{{[0-9]+}} : !llvm.ptr<1>, %{{[0-9]+}} : i64, %{{[0-9]+}} : i64)
// CHECK-NOT: scf.forall
// CHECK: gpu.module @kernels
// CHECK: func.func @k(%{{.*}}: i64, %{{.*}}: !llvm.ptr<1>,
// CHECK-SAME: attributes {gpu.kernel, weft.shared_bytes = 0 : i64, weft.threads = 128 : i32}
// CHECK: to memref<?xf32> {weft.root = 0 : i64}
// CHECK: to memref<?xf32> {weft.root = 1 : i64}
// CHECK: %[[THREAD:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK: %[[IS:.*]] = arith.cmpi ult
// CHECK: scf.if %[[IS]]
// CHECK: vector.load
// CHECK: vector.store
func.func private @k(%x: memref<?xf32>, %y: memref<?xf32>, %n: index) attributes {weft.kernel = "map"} {
  scf.forall (%i) = (0) to (%n) step (16) {
    %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
    vector.store %v, %y[%i] : memref<?xf32>, vector<16xf32>
  }
  return
}
}

// -----
// Scratch is a part of shared memory: two items share a block where eight would leave no room for another block. What
// comes before the loop is done in it, and a view's root is the argument that it is of.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @scratch(
// CHECK-NOT: vector.store
// CHECK: gpu.launch_func @kernels::@scratch {{.*}} threads in (%c32, %{{.*}}, %{{.*}}) dynamic_shared_memory_size %c40000_i32
// CHECK: llvm.mlir.global external @global_smem() {addr_space = 3 : i32, alignment = 1024 : i64} : !llvm.array<0 x i8>
// CHECK: func.func @scratch
// CHECK-SAME: weft.shared_bytes = 40000 : i64
// CHECK: weft.root = 0 : i64
// CHECK: llvm.mlir.addressof @global_smem
// CHECK: weft.root = 1 : i64
// CHECK: scf.if
// CHECK: vector.store %{{.*}} : memref<5000xf32>, vector<16xf32>
func.func private @scratch(%x: memref<?x64xf32>) attributes {weft.kernel = "map"} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<16xf32>
  %n = memref.dim %x, %c0 : memref<?x64xf32>
  %buffer = memref.alloca() : memref<5000xf32>
  vector.store %zero, %buffer[%c0] : memref<5000xf32>, vector<16xf32>
  scf.forall (%i) in (%n) {
    %row = memref.subview %x[%i, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<1x64xf32, strided<[64, 1], offset: ?>>
    %v = vector.load %buffer[%c0] : memref<5000xf32>, vector<16xf32>
    vector.store %v, %row[%c0, %c0] : memref<1x64xf32, strided<[64, 1], offset: ?>>, vector<16xf32>
  }
  return
}
}

// -----
// A buffer that a call gives twice may overlap with any.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func @twice(
func.func @twice(%x: memref<?xf32>, %z: memref<?xf32>, %n: index) attributes {weft.entry} {
  %view = memref.cast %x : memref<?xf32> to memref<?xf32>
  call @moves(%x, %z, %view, %n) : (memref<?xf32>, memref<?xf32>, memref<?xf32>, index) -> ()
  return
}
// CHECK: func.func @moves
// CHECK-DAG: weft.root = -1 : i64
// CHECK-DAG: weft.root = 1 : i64
// CHECK-DAG: weft.root = -1 : i64
func.func private @moves(%x: memref<?xf32>, %z: memref<?xf32>, %y: memref<?xf32>, %n: index) attributes {weft.kernel = "map"} {
  scf.forall (%i) = (0) to (%n) step (16) {
    %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
    vector.store %v, %y[%i] : memref<?xf32>, vector<16xf32>
    vector.store %v, %z[%i] : memref<?xf32>, vector<16xf32>
  }
  return
}
}

// -----
// A kernel without a loop is one item; a table is the device's own.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
memref.global "private" constant @table : memref<16xf32> = dense<1.0>
// CHECK-LABEL: func.func private @once(
// CHECK: gpu.launch_func @kernels::@once blocks in (%[[ONE:.*]], %{{.*}}, %{{.*}})
// CHECK: gpu.module @kernels
// CHECK: func.func @once
// CHECK: memref.get_global @table
// CHECK: memref.global "private" constant @table
func.func private @once(%x: memref<16xf32>) attributes {weft.kernel = "map"} {
  %c0 = arith.constant 0 : index
  %table = memref.get_global @table : memref<16xf32>
  %v = vector.load %table[%c0] : memref<16xf32>, vector<16xf32>
  vector.store %v, %x[%c0] : memref<16xf32>, vector<16xf32>
  return
}
}

// -----
#target = #weft.target<isa = "sm_86", lanes = 16, registers = 32, cpu = "sm_86", features = "">
module attributes {weft.target = #target} {
func.func @entry(%x: memref<16xf32>) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  // expected-error@+1 {{would run on the host, but its memory is the device's}}
  memref.store %zero, %x[%c0] : memref<16xf32>
  return
}
}
