// RUN: weft-opt %s --weft-normalize-inputs | FileCheck %s

#id = affine_map<(b, t) -> (b, t)>

// CHECK-LABEL: @fill_of_unknown_extents
// CHECK-SAME: (%[[X:.*]]: tensor<?x?xf32>, %[[INIT:.*]]: tensor<?x?xf32>)
// CHECK: %[[ONE:.*]] = arith.constant 1.0
// CHECK: %[[ONES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?xf32>)
// CHECK: linalg.yield %[[ONE]]
// CHECK: weft.scan {{.*}} ins(%[[X]], %[[ONES]] :
func.func @fill_of_unknown_extents(%x: tensor<?x?xf32>, %init: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %one = arith.constant 1.0 : f32
  %ones = linalg.fill ins(%one : f32) outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y:2 = weft.scan {dimension = 1 : i64, indexing_maps = [#id, #id]} ins(%x, %ones : tensor<?x?xf32>, tensor<?x?xf32>)
         outs(%init, %init : tensor<?x?xf32>, tensor<?x?xf32>)
         combine {
         ^bb0(%a: f32, %n: f32, %b: f32, %m: f32):
           %s = arith.addf %a, %b : f32
           %r = arith.addf %n, %m : f32
           weft.yield %s, %r : f32, f32
         } -> tensor<?x?xf32>, tensor<?x?xf32>
  return %y#0, %y#1 : tensor<?x?xf32>, tensor<?x?xf32>
}

// CHECK-LABEL: @merged_dimensions_apart
// CHECK: %[[PART:.*]] = tensor.extract_slice
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[PART]] : tensor<1x8x2x10xf32>)
// CHECK: %[[IN:.*]] = tensor.collapse_shape %[[COPY]]
// CHECK: weft.causal_conv ins(%[[IN]],
func.func @merged_dimensions_apart(%x: tensor<1x8x2x40xf32>, %w: tensor<20x4xf32>, %e: tensor<1x8x20xf32>) -> tensor<1x8x20xf32> {
  %part = tensor.extract_slice %x[0, 0, 0, 0] [1, 8, 2, 10] [1, 1, 1, 1] : tensor<1x8x2x40xf32> to tensor<1x8x2x10xf32>
  %in = tensor.collapse_shape %part [[0], [1], [2, 3]] : tensor<1x8x2x10xf32> into tensor<1x8x20xf32>
  %y = weft.causal_conv ins(%in, %w : tensor<1x8x20xf32>, tensor<20x4xf32>) outs(%e : tensor<1x8x20xf32>) -> tensor<1x8x20xf32>
  return %y : tensor<1x8x20xf32>
}

// Rows of a part of the columns lie at a stride: they are read in place.
// CHECK-LABEL: @negative_merged_rows
// CHECK-NOT: linalg.{{generic|copy}}
// CHECK: return
func.func @negative_merged_rows(%x: tensor<?x8x40xf32>, %w: tensor<1x10x16xf32>, %n: index, %m: index, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %part = tensor.extract_slice %x[0, 0, 0] [%n, 8, 10] [1, 1, 1] : tensor<?x8x40xf32> to tensor<?x8x10xf32>
  %in = tensor.collapse_shape %part [[0, 1], [2]] : tensor<?x8x10xf32> into tensor<?x10xf32>
  %y = weft.packed_matmul ins(%in, %w : tensor<?x10xf32>, tensor<1x10x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// A fill of known extents is a scratch of its reader.
// CHECK-LABEL: @negative_small_fill
// CHECK-NOT: linalg.{{generic|copy}}
// CHECK: return
func.func @negative_small_fill(%x: tensor<?x8x2xf32>, %init: tensor<?x8x2xf32>) -> tensor<?x8x2xf32> {
  %half = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %w = linalg.fill ins(%half : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = weft.causal_conv ins(%x, %w : tensor<?x8x2xf32>, tensor<2x4xf32>) outs(%init : tensor<?x8x2xf32>) -> tensor<?x8x2xf32>
  return %y : tensor<?x8x2xf32>
}
