// RUN: weft-opt %s --split-input-file --weft-convert-entry --verify-diagnostics | FileCheck %s

// Parameters come from the call record's table, by their number in weft.parameters.
// CHECK-LABEL: func.func private @encode(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr, %{{.*}}: memref<?x8xf32>, %{{.*}}: memref<?x8xf32>, %{{.*}}: index, %{{.*}}: memref<?xi8>)
// CHECK: %[[FIELD:.*]] = llvm.getelementptr %[[CALL]][32] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[TABLE:.*]] = llvm.load %[[FIELD]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[SECOND:.*]] = llvm.getelementptr %[[TABLE]][8]
// CHECK: llvm.load %[[SECOND]]
// CHECK: %[[W:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<4x8xf32>
// CHECK: call @kernel(%[[CALL]], %{{.*}}, %[[W]], %{{.*}})

// An arena that is too small is refused before anything is written.
// CHECK-LABEL: llvm.func @weft_encode_run(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr) -> i32
// CHECK: %[[NEEDED:.*]] = func.call @encode_arena
// CHECK: %[[BYTES:.*]] = arith.index_cast %[[NEEDED]]
// CHECK: %[[FITS:.*]] = llvm.icmp "ule" %[[BYTES]], %{{.*}}
// CHECK: llvm.cond_br %[[FITS]], ^[[GOOD:.*]], ^[[BAD:.*]]
// CHECK: ^[[GOOD]]:
// CHECK: func.call @encode(%[[CALL]],
// CHECK: llvm.return
// CHECK: ^[[BAD]]:
// CHECK: llvm.mlir.constant(1 : i32)
// CHECK: llvm.return

// CHECK-LABEL: llvm.func @weft_encode_arena(
// CHECK-SAME: %[[DIMS:.*]]: !llvm.ptr) -> i64
// CHECK: func.call @encode_arena
module attributes {weft.parameters = [{name = "v", sources = ["v"], type = tensor<8xf32>}, {name = "w", sources = ["w"], type = tensor<4x8xf32>}]} {
func.func private @kernel(%call: !llvm.ptr, %x: memref<?x8xf32>, %w: memref<4x8xf32>, %y: memref<?x8xf32>) {
  return
}
func.func private @encode_arena(%n: index) -> index {
  return %n : index
}
func.func @encode(%call: !llvm.ptr, %x: memref<?x8xf32> {weft.name = "x", weft.dims = ["n", ""]},
                  %y: memref<?x8xf32> {weft.name = "y", weft.dims = ["n", ""], weft.output},
                  %n: index {weft.dim = "n"}, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
  %w = weft.parameter "w" : memref<4x8xf32>
  call @kernel(%call, %x, %w, %y) : (!llvm.ptr, memref<?x8xf32>, memref<4x8xf32>, memref<?x8xf32>) -> ()
  return
}
}

// -----

func.func private @encode_arena() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
func.func @encode(%call: !llvm.ptr, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
  // expected-error@+1 {{is not in the module's 'weft.parameters', or not in an entry function}}
  %w = weft.parameter "w" : memref<4x8xf32>
  return
}

// -----

// expected-error@+1 {{has no arena function: run the bufferize phase first}}
func.func @encode(%call: !llvm.ptr, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
  return
}

// -----

func.func private @encode_arena() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
// expected-error@+1 {{argument 1: dynamic dimension 0 has no name}}
func.func @encode(%call: !llvm.ptr, %x: memref<?xf32>, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
  return
}
