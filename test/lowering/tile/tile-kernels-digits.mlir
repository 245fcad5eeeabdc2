// RUN: weft-opt %s --split-input-file --weft-tile-kernels --canonicalize --cse | FileCheck %s

// A product by digits of its rows: items of up to 384 columns, where eight or more are left.
// CHECK-LABEL: @wide
// CHECK: scf.forall {{.*}} step (%{{.*}}, 384)
module attributes {weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @wide(%x: memref<?x64xf32>, %w: memref<256x2x288xi8>, %y: memref<?x4096xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x64xf32> to tensor<?x64xf32>
  %tw = bufferization.to_tensor %w restrict : memref<256x2x288xi8> to tensor<256x2x288xi8>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x4096xf32> to tensor<?x4096xf32>
  %r = weft.groupwise_matmul {bits = 4, group = 32} ins(%tx, %tw : tensor<?x64xf32>, tensor<256x2x288xi8>) outs(%ty : tensor<?x4096xf32>) -> tensor<?x4096xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x4096xf32>, memref<?x4096xf32>) -> ()
  return
}
}

// -----

// As other products where they would be fewer, or without the instruction.
// CHECK-LABEL: @narrow
// CHECK: scf.forall {{.*}} step (%{{.*}}, 96)
module attributes {weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @narrow(%x: memref<?x64xf32>, %w: memref<48x2x288xi8>, %y: memref<?x768xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x64xf32> to tensor<?x64xf32>
  %tw = bufferization.to_tensor %w restrict : memref<48x2x288xi8> to tensor<48x2x288xi8>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x768xf32> to tensor<?x768xf32>
  %r = weft.groupwise_matmul {bits = 4, group = 32} ins(%tx, %tw : tensor<?x64xf32>, tensor<48x2x288xi8>) outs(%ty : tensor<?x768xf32>) -> tensor<?x768xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x768xf32>, memref<?x768xf32>) -> ()
  return
}
}

// -----

// CHECK-LABEL: @widened
// CHECK: scf.forall {{.*}} step (%{{.*}}, 96)
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @widened(%x: memref<?x64xf32>, %w: memref<256x2x288xi8>, %y: memref<?x4096xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x64xf32> to tensor<?x64xf32>
  %tw = bufferization.to_tensor %w restrict : memref<256x2x288xi8> to tensor<256x2x288xi8>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x4096xf32> to tensor<?x4096xf32>
  %r = weft.groupwise_matmul {bits = 4, group = 32} ins(%tx, %tw : tensor<?x64xf32>, tensor<256x2x288xi8>) outs(%ty : tensor<?x4096xf32>) -> tensor<?x4096xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x4096xf32>, memref<?x4096xf32>) -> ()
  return
}
}
