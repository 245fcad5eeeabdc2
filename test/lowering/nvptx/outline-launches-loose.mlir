// What the kernel writes for others before its loop is a launch of its own, so that it is done once.
// RUN: weft-opt %s --weft-outline-launches | FileCheck %s

#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @state(
// CHECK: gpu.launch_func @kernels::@state
// CHECK: gpu.launch_func @kernels::@[[SECOND:state_[0-9]+]]
// CHECK: func.func @state(
// CHECK-NOT: arith.addf
// CHECK: func.func @[[SECOND]](
// CHECK: arith.addf
func.func private @state(%from: memref<64xf32>, %to: memref<64xf32>, %n: index) attributes {weft.kernel = "map"} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  scf.for %i = %c0 to %c64 step %c16 {
    %v = vector.load %from[%i] : memref<64xf32>, vector<16xf32>
    vector.store %v, %to[%i] : memref<64xf32>, vector<16xf32>
  }
  scf.forall (%i) = (0) to (%n) step (16) {
    %v = vector.load %to[%i] : memref<64xf32>, vector<16xf32>
    %w = arith.addf %v, %v : vector<16xf32>
    vector.store %w, %to[%i] : memref<64xf32>, vector<16xf32>
  }
  return
}
}
