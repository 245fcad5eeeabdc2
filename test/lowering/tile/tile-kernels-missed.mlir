// RUN: weft-opt %s --split-input-file --weft-tile-kernels --remarks-filter-missed=weft-tile-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @negative_nothing_computed
// CHECK-NOT: scf.forall
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// expected-remark@+1 {{the kernel's last op cannot be tiled: it runs on one thread}}
func.func private @negative_nothing_computed(%x: memref<?x8xf32>, %y: memref<?x8xf32>) attributes {weft.kernel = "map"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  bufferization.materialize_in_destination %tx in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}
}

// -----

// CHECK-LABEL: @negative_not_a_kernel
// CHECK-NOT: scf.forall
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @negative_not_a_kernel(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  %tx = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<4x8xf32> to tensor<4x8xf32>
  %r = linalg.exp ins(%tx : tensor<4x8xf32>) outs(%ty : tensor<4x8xf32>) -> tensor<4x8xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<4x8xf32>, memref<4x8xf32>) -> ()
  return
}
}

// -----

// expected-error@+1 {{needs the module attribute 'weft.target'}}
module {
}
