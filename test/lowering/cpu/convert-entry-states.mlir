// RUN: weft-opt %s --weft-convert-entry | FileCheck %s

// States come from their own table of the call record, in the order of the arguments.
// CHECK-LABEL: llvm.func @weft_step_run(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr) -> i32
// CHECK: llvm.getelementptr %[[CALL]][64] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-NEXT: %[[STATES:.*]] = llvm.load
// CHECK: %[[FIRST:.*]] = llvm.getelementptr %[[STATES]][0]
// CHECK-NEXT: %[[RAW:.*]] = llvm.load %[[FIRST]]
// CHECK: %[[S:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<?x8xf32>
// CHECK: %[[SECOND:.*]] = llvm.getelementptr %[[STATES]][8]
// CHECK: %[[T:.*]] = builtin.unrealized_conversion_cast %{{.*}} to memref<4xf32>
// CHECK: func.call @step(%[[CALL]], %[[S]], %{{.*}}, %[[T]], %{{.*}}, %{{.*}})
func.func private @step_arena(%n: index) -> index {
  return %n : index
}
func.func @step(%call: !llvm.ptr, %s: memref<?x8xf32> {weft.name = "s", weft.dims = ["n", ""], weft.state},
                %x: memref<?x8xf32> {weft.name = "x", weft.dims = ["n", ""]},
                %t: memref<4xf32> {weft.name = "t", weft.state},
                %n: index {weft.dim = "n"}, %arena: memref<?xi8> {weft.arena}) attributes {weft.entry} {
  return
}
