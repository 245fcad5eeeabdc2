// RUN: weft-opt %s --canonicalize | FileCheck %s

// CHECK-LABEL: @panels_cast
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<2x8x16xf32>)
func.func @panels_cast(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %0 = tensor.cast %w : tensor<2x8x16xf32> to tensor<?x?x16xf32>
  %y = weft.packed_matmul ins(%x, %0 : tensor<?x8xf32>, tensor<?x?x16xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
