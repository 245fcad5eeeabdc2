// RUN: weft-opt %s --weft-tile-kernels --remarks-filter-analyse=weft-tile-kernels --remark-format=emitRemark 2>&1 | FileCheck %s

// The cut of each kernel and what an item is estimated to take are told.
// CHECK: remark: [Analysis] tiles | Category:weft-tile-kernels | Remark="work items of 108 × 48 at most, an estimated 62208 cycles each"
// CHECK: scf.forall {{.*}} step (%{{.*}}, 48)
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @product(%x: memref<?x384xf32>, %w: memref<24x384x16xf32>, %y: memref<?x384xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x384xf32> to tensor<?x384xf32>
  %tw = bufferization.to_tensor %w restrict : memref<24x384x16xf32> to tensor<24x384x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x384xf32> to tensor<?x384xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x384xf32>, tensor<24x384x16xf32>) outs(%ty : tensor<?x384xf32>) -> tensor<?x384xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x384xf32>, memref<?x384xf32>) -> ()
  return
}
}
