// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: weft.quantized_matmul ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xi8>, tensor<?xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%{{.*}} : tensor<?x20xf32>) -> tensor<?x20xf32>
func.func @tensors(%x: tensor<?x8xi8>, %xs: tensor<?xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = weft.quantized_matmul ins(%x, %xs, %w, %ws : tensor<?x8xi8>, tensor<?xf32>, tensor<2x2x64xi8>, tensor<20xf32>)
                             outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: @memrefs_with_bias
// CHECK: weft.quantized_matmul ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : memref<?x?xi8>, memref<?xf32>, memref<?x?x64xi8>, memref<?xf32>, memref<?xf32>) outs(%{{.*}} : memref<?x?xf32>){{$}}
func.func @memrefs_with_bias(%x: memref<?x?xi8>, %xs: memref<?xf32>, %w: memref<?x?x64xi8>, %ws: memref<?xf32>, %init: memref<?x?xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws, %ws : memref<?x?xi8>, memref<?xf32>, memref<?x?x64xi8>, memref<?xf32>, memref<?xf32>) outs(%init : memref<?x?xf32>)
  return
}
