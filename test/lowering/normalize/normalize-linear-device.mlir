// For GPUs alone, weights lie row by row where products may run on matrix units.
// RUN: weft-opt %s --split-input-file --weft-normalize-linear | FileCheck %s

// CHECK-LABEL: @weight_bf16
// CHECK: weft.parameter "l.weight.rows_in_by_out" {{.*}} : tensor<20x3x2xbf16>
// CHECK: weft.packed_matmul {{.*}} : tensor<?x5xf32>, tensor<20x3x2xbf16>)
module attributes {weft.device, weft.dtype = bf16} {
func.func @weight_bf16(%x: tensor<?x5xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<5x20xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x5xf32>, tensor<5x20xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}

// -----
// Weights in f32 do, too; not where rows are of bf16, which lanes multiply.
// CHECK-LABEL: @negative_rows_bf16
// CHECK: weft.parameter "l.weight.packed_in_by_out" {{.*}} : tensor<2x3x32xbf16>
// CHECK-LABEL: @weight_f32
// CHECK: weft.parameter "l.weight.rows_in_by_out" {{.*}} : tensor<20x5x1xf32>
module attributes {weft.device} {
func.func @negative_rows_bf16(%x: tensor<?x5xbf16>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<5x20xbf16>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x5xbf16>, tensor<5x20xbf16>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
func.func @weight_f32(%x: tensor<?x5xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<5x20xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x5xf32>, tensor<5x20xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}
