// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @with_bias
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<20xf32>) outs(%{{.*}} : tensor<?x20xf32>) -> tensor<?x20xf32>
func.func @with_bias(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %b: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<20xf32>)
                          outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: @memrefs_without_bias
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}} : memref<?x?xf32>, memref<?x?x16xf32>) outs(%{{.*}} : memref<?x?xf32>){{$}}
func.func @memrefs_without_bias(%x: memref<?x?xf32>, %w: memref<?x?x16xf32>, %init: memref<?x?xf32>) {
  weft.packed_matmul ins(%x, %w : memref<?x?xf32>, memref<?x?x16xf32>) outs(%init : memref<?x?xf32>)
  return
}

// An odd depth of 9 lies in five pairs.
// CHECK-LABEL: @pairs_of_steps
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}} : tensor<?x9xf32>, tensor<2x5x32xbf16>) outs
func.func @pairs_of_steps(%x: tensor<?x9xf32>, %w: tensor<2x5x32xbf16>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = weft.packed_matmul ins(%x, %w : tensor<?x9xf32>, tensor<2x5x32xbf16>)
                          outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// Two blocks of five columns: each lies in a panel of its own.
// CHECK-LABEL: @blocks
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<2x1x4x16xf32>, tensor<10xf32>) outs(%{{.*}} : tensor<?x10xf32>) -> tensor<?x10xf32>
func.func @blocks(%x: tensor<?x8xf32>, %w: tensor<2x1x4x16xf32>, %b: tensor<10xf32>, %init: tensor<?x10xf32>) -> tensor<?x10xf32> {
  %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x8xf32>, tensor<2x1x4x16xf32>, tensor<10xf32>)
                          outs(%init : tensor<?x10xf32>) -> tensor<?x10xf32>
  return %y : tensor<?x10xf32>
}
