// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// The example of the op.
// CHECK-LABEL: @tensors
// CHECK: weft.groupwise_matmul {bits = 4 : i64, group = 32 : i64} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x50xf32>, tensor<2x2x288xi8>, tensor<20xf32>) outs(%{{.*}} : tensor<?x20xf32>) -> tensor<?x20xf32>
func.func @tensors(%x: tensor<?x50xf32>, %w: tensor<2x2x288xi8>, %b: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : tensor<?x50xf32>, tensor<2x2x288xi8>, tensor<20xf32>)
                           outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: @memrefs
// CHECK: weft.groupwise_matmul {bits = 8 : i64, group = 16 : i64} ins(%{{.*}}, %{{.*}} : memref<?x5xf32>, memref<?x?x288xi8>) outs(%{{.*}} : memref<?x?xf32>){{$}}
func.func @memrefs(%x: memref<?x5xf32>, %w: memref<?x?x288xi8>, %init: memref<?x?xf32>) {
  weft.groupwise_matmul {bits = 8, group = 16} ins(%x, %w : memref<?x5xf32>, memref<?x?x288xi8>) outs(%init : memref<?x?xf32>)
  return
}
