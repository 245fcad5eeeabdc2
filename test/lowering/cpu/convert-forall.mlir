// RUN: weft-opt %s --weft-convert-forall --canonicalize --cse | FileCheck %s

// The call of a kernel hands the call record on; the kernel hands it to the runtime, with a record of what the body
// needs, the number of items and an estimate of an item's cost.
// CHECK-LABEL: func.func private @kernel(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr, %[[X:.*]]: memref<?x8xf32>, %[[N:.*]]: index)
// CHECK-DAG: %[[ITEMS:.*]] = constant @kernel_items
// CHECK-DAG: %[[COST:.*]] = arith.constant 32 : i64
// CHECK: %[[RECORD:.*]] = llvm.alloca
// CHECK: llvm.store %{{.*}}, %{{.*}} : !llvm.struct
// CHECK: %[[COUNT:.*]] = arith.muli %[[N]], %c2
// CHECK: %[[COUNT64:.*]] = arith.index_cast %[[COUNT]]
// CHECK: %[[SERVICES:.*]] = llvm.load %[[CALL]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[PARALLEL:.*]] = llvm.load %[[SERVICES]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[ADDRESS:.*]] = builtin.unrealized_conversion_cast %[[ITEMS]]
// CHECK: llvm.call %[[PARALLEL]](%[[CALL]], %[[ADDRESS]], %[[RECORD]], %[[COUNT64]], %[[COST]])
// CHECK-NOT: scf.forall

// Items begin … end − 1; the last loop runs fastest. All items of a range share one scratch.
// CHECK-LABEL: func.func private @kernel_items(
// CHECK-SAME: %[[RECORD:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK: %[[SCRATCH:.*]] = memref.alloca() : memref<4xf32>
// CHECK: scf.for %[[ITEM:.*]] =
// CHECK-NOT: memref.alloca
// CHECK: %[[J:.*]] = arith.remui %[[ITEM]], %c2
// CHECK: %[[I:.*]] = arith.divui %[[ITEM]], %c2
// CHECK: %[[COLUMN:.*]] = arith.muli %[[J]], %c4
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[I]], %[[COLUMN]]] : memref<?x8xf32>
func.func private @kernel(%x: memref<?x8xf32>, %n: index) attributes {weft.kernel = "map"} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  scf.forall (%i, %j) = (0, 0) to (%n, 8) step (1, 4) {
    %scratch = memref.alloca() : memref<4xf32>
    memref.store %zero, %scratch[%c0] : memref<4xf32>
    %v = memref.load %scratch[%c0] : memref<4xf32>
    memref.store %v, %x[%i, %j] : memref<?x8xf32>
  } {weft.item_cost = 32 : i64}
  return
}

// CHECK-LABEL: func.func @encode(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr, %[[X:.*]]: memref<?x8xf32>, %[[N:.*]]: index)
// CHECK: call @kernel(%[[CALL]], %[[X]], %[[N]])
func.func @encode(%x: memref<?x8xf32>, %n: index) attributes {weft.entry} {
  call @kernel(%x, %n) : (memref<?x8xf32>, index) -> ()
  return
}

// A kernel of one item, whose loop over blocks has a scratch: every turn uses the same.
// CHECK-LABEL: func.func private @one_item(
// CHECK: memref.alloca() : memref<4xf32>
// CHECK: scf.for
// CHECK-NOT: memref.alloca
// CHECK: return
func.func private @one_item(%x: memref<?xf32>, %n: index) attributes {weft.kernel = "sum"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    %scratch = memref.alloca() : memref<4xf32>
    %v = memref.load %x[%i] : memref<?xf32>
    memref.store %v, %scratch[%c1] : memref<4xf32>
    %w = memref.load %scratch[%c0] : memref<4xf32>
    memref.store %w, %x[%i] : memref<?xf32>
  }
  return
}
