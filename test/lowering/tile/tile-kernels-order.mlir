// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

// Items with a weight of 16 bits run along the rows.
// CHECK-LABEL: @halves
// CHECK: scf.forall {{.*}} step (%{{.*}}, 48)
// CHECK: {weft.first_fastest, weft.item_cost
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @halves(%x: memref<?x384xf32>, %w: memref<24x192x32xbf16>, %y: memref<?x384xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x384xf32> to tensor<?x384xf32>
  %tw = bufferization.to_tensor %w restrict : memref<24x192x32xbf16> to tensor<24x192x32xbf16>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x384xf32> to tensor<?x384xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x384xf32>, tensor<24x192x32xbf16>) outs(%ty : tensor<?x384xf32>) -> tensor<?x384xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x384xf32>, memref<?x384xf32>) -> ()
  return
}
}
