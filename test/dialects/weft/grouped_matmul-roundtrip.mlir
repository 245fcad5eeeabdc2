// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// The first product of an expert layer, which reads the tokens' rows where they are.
// CHECK-LABEL: @rows
// CHECK: weft.grouped_matmul ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>) rows(%{{.*}} : tensor<?xi32>) outs(%{{.*}} : tensor<?x20xf32>) -> tensor<?x20xf32>
func.func @rows(%x: tensor<?x4xf32>, %w: tensor<8x20x4xf32>, %offsets: tensor<9xi32>, %tokens: tensor<?xi32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %h = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<8x20x4xf32>, tensor<9xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %h : tensor<?x20xf32>
}

// 20 columns lie in two panels of 16, 5 steps in three pairs.
// CHECK-LABEL: @panels_and_bias
// CHECK: weft.grouped_matmul ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x5xbf16>, tensor<8x2x3x32xbf16>, tensor<9xi32>) bias(%{{.*}} : tensor<8x20xf32>) outs
func.func @panels_and_bias(%x: tensor<?x5xbf16>, %w: tensor<8x2x3x32xbf16>, %offsets: tensor<9xi32>, %bias: tensor<8x20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %h = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x5xbf16>, tensor<8x2x3x32xbf16>, tensor<9xi32>)
       bias(%bias : tensor<8x20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %h : tensor<?x20xf32>
}

// CHECK-LABEL: @memrefs_of_bytes
// CHECK: weft.grouped_matmul {bits = 4 : i64, group = 32 : i64} ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<?x50xf32>, memref<8x2x2x288xi8>, memref<9xi32>) rows(%{{.*}} : memref<?xi32>) outs(%{{.*}} : memref<?x20xf32>){{$}}
func.func @memrefs_of_bytes(%x: memref<?x50xf32>, %w: memref<8x2x2x288xi8>, %offsets: memref<9xi32>, %tokens: memref<?xi32>, %init: memref<?x20xf32>) {
  weft.grouped_matmul {bits = 4, group = 32} ins(%x, %w, %offsets : memref<?x50xf32>, memref<8x2x2x288xi8>, memref<9xi32>)
      rows(%tokens : memref<?xi32>) outs(%init : memref<?x20xf32>)
  return
}
