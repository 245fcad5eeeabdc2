// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Items are blocks of the weight: products without blocks.
// CHECK-LABEL: @narrow_blocks
// CHECK: scf.forall {{.*}} step (%{{.*}}, 5)
// CHECK: weft.packed_matmul ins(%{{.*}} : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%{{.*}} : tensor<?x5xf32>)
func.func private @narrow_blocks(%x: memref<?x12xf32>, %w: memref<3x1x4x16xf32>, %y: memref<?x15xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x12xf32> to tensor<?x12xf32>
  %tw = bufferization.to_tensor %w restrict : memref<3x1x4x16xf32> to tensor<3x1x4x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x15xf32> to tensor<?x15xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x12xf32>, tensor<3x1x4x16xf32>) outs(%ty : tensor<?x15xf32>) -> tensor<?x15xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x15xf32>, memref<?x15xf32>) -> ()
  return
}

// The most whole panels up to 384 columns that divide a wide one.
// CHECK-LABEL: @wide_blocks
// CHECK: scf.forall {{.*}} step (%{{.*}}, 320)
// CHECK: weft.packed_matmul ins(%{{.*}} : tensor<?x4xf32>, tensor<20x4x16xf32>) outs(%{{.*}} : tensor<?x320xf32>)
func.func private @wide_blocks(%x: memref<?x8xf32>, %w: memref<2x40x4x16xf32>, %y: memref<?x1280xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %tw = bufferization.to_tensor %w restrict : memref<2x40x4x16xf32> to tensor<2x40x4x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x1280xf32> to tensor<?x1280xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x8xf32>, tensor<2x40x4x16xf32>) outs(%ty : tensor<?x1280xf32>) -> tensor<?x1280xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x1280xf32>, memref<?x1280xf32>) -> ()
  return
}

// CHECK-LABEL: @wide_prime_blocks
// CHECK: scf.forall {{.*}} step (%{{.*}}, 401)
func.func private @wide_prime_blocks(%x: memref<?x8xf32>, %w: memref<2x26x4x16xf32>, %y: memref<?x802xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %tw = bufferization.to_tensor %w restrict : memref<2x26x4x16xf32> to tensor<2x26x4x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x802xf32> to tensor<?x802xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x8xf32>, tensor<2x26x4x16xf32>) outs(%ty : tensor<?x802xf32>) -> tensor<?x802xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x802xf32>, memref<?x802xf32>) -> ()
  return
}
}
