// RUN: weft-opt %s --weft-normalize-linear --remarks-filter-missed=weft-normalize-linear --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The layout of torch.nn.Linear, [out, in], and a bias.
// CHECK-LABEL: @weight_out_by_in
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[INIT:.*]]: tensor<?x20xf32>)
// CHECK: %[[B:.*]] = weft.parameter "l.bias" : tensor<20xf32>
// CHECK: %[[W:.*]] = weft.parameter "l.weight.packed" sources(["l.weight"]) layout(<width = 16, out_by_in = true>) : tensor<2x4x16xf32>
// CHECK: %[[Y:.*]] = weft.packed_matmul ins(%[[X]], %[[W]], %[[B]] : {{.*}}) outs(%[[INIT]] : tensor<?x20xf32>)
// CHECK-NOT: linalg.{{matmul|generic}}
// CHECK: return %[[Y]]
func.func @weight_out_by_in(%x: tensor<?x4xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<20x4xf32>
  %b = weft.parameter "l.bias" : tensor<20xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %product = linalg.matmul
    indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<?x4xf32>, tensor<20x4xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%product, %b : tensor<?x20xf32>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) {
  ^bb0(%p: f32, %bias: f32, %out: f32):
    %sum = arith.addf %p, %bias : f32
    linalg.yield %sum : f32
  } -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// The layout of Conv1D, [in, out], without a bias.
// CHECK-LABEL: @weight_in_by_out
// CHECK: %[[W:.*]] = weft.parameter "l.weight.packed_in_by_out" sources(["l.weight"]) layout(<width = 16, out_by_in = false>) : tensor<2x4x16xf32>
// CHECK: weft.packed_matmul ins(%{{.*}}, %[[W]] : tensor<?x4xf32>, tensor<2x4x16xf32>)
func.func @weight_in_by_out(%x: tensor<?x4xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<4x20xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x20xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// Only a sum with a row is a bias.
// CHECK-LABEL: @negative_bias_is_scale
// CHECK: %[[Y:.*]] = weft.packed_matmul ins(%{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<1x4x16xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %{{.*}} :
// CHECK: arith.mulf
func.func @negative_bias_is_scale(%x: tensor<?x4xf32>, %b: tensor<8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<4x8xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  %product = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x8xf32>) outs(%start : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%product, %b : tensor<?x8xf32>, tensor<8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%p: f32, %scale: f32, %out: f32):
    %scaled = arith.mulf %p, %scale : f32
    linalg.yield %scaled : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @negative_computed_operand
// CHECK: linalg.matmul
func.func @negative_computed_operand(%x: tensor<?x4xf32>, %w: tensor<4x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  // expected-remark@+1 {{the right operand is not a weight}}
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x8xf32>) outs(%start : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @negative_adds_to_a_tensor
// CHECK: linalg.matmul
func.func @negative_adds_to_a_tensor(%x: tensor<?x4xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = weft.parameter "l.weight" : tensor<4x8xf32>
  // expected-remark@+1 {{the product adds to a tensor}}
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// A weight that the graph has in 16 bits stays so; the rows may be in 16 bits whatever the weight is.
// CHECK-LABEL: @halves
// CHECK: weft.packed_matmul {{.*}} : tensor<?x4xbf16>, tensor<1x2x32xf16>) outs(%{{.*}} : tensor<?x8xf32>)
func.func @halves(%x: tensor<?x4xbf16>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<4x8xf16>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x4xbf16>, tensor<4x8xf16>) outs(%start : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @negative_sums_of_16_bits
// CHECK: linalg.matmul
func.func @negative_sums_of_16_bits(%x: tensor<?x4xbf16>, %init: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
  %zero = arith.constant 0.0 : bf16
  %w = weft.parameter "l.weight" : tensor<4x8xbf16>
  %start = linalg.fill ins(%zero : bf16) outs(%init : tensor<?x8xbf16>) -> tensor<?x8xbf16>
  // expected-remark@+1 {{only products with sums in f32 are packed: round them in an op that follows}}
  %y = linalg.matmul ins(%x, %w : tensor<?x4xbf16>, tensor<4x8xbf16>) outs(%start : tensor<?x8xbf16>) -> tensor<?x8xbf16>
  return %y : tensor<?x8xbf16>
}

// CHECK-LABEL: @negative_f64
// CHECK: linalg.matmul
func.func @negative_f64(%x: tensor<?x4xf64>, %init: tensor<?x8xf64>) -> tensor<?x8xf64> {
  %zero = arith.constant 0.0 : f64
  %w = weft.parameter "l.weight" : tensor<4x8xf64>
  %start = linalg.fill ins(%zero : f64) outs(%init : tensor<?x8xf64>) -> tensor<?x8xf64>
  // expected-remark@+1 {{only products of f32, bf16 and f16 are packed}}
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf64>, tensor<4x8xf64>) outs(%start : tensor<?x8xf64>) -> tensor<?x8xf64>
  return %y : tensor<?x8xf64>
}

// CHECK-LABEL: @negative_left_operand_transposed
// CHECK: linalg.matmul
func.func @negative_left_operand_transposed(%x: tensor<4x?xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<4x8xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  // expected-remark@+1 {{the operands' indexing maps are not those of a product of rows with a weight}}
  %y = linalg.matmul
    indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<4x?xf32>, tensor<4x8xf32>) outs(%start : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// The module asks for bf16: two steps of k in a word, an odd depth padded.
// CHECK-LABEL: @weight_bf16
// CHECK: weft.parameter "l.weight.packed_in_by_out" {{.*}} : tensor<2x3x32xbf16>
// CHECK: weft.packed_matmul {{.*}} : tensor<?x5xf32>, tensor<2x3x32xbf16>)
module attributes {weft.dtype = bf16} {
func.func @weight_bf16(%x: tensor<?x5xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "l.weight" : tensor<5x20xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x5xf32>, tensor<5x20xf32>) outs(%start : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}
