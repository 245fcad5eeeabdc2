// RUN: weft-opt %s --split-input-file --weft-quantize-products --remarks-filter-missed=weft-quantize-products --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// One rounding serves both products; the bias and the destination stay.
// CHECK-LABEL: func.func @two_products(
// CHECK-SAME: %[[X:.*]]: tensor<?x6xf32>
// CHECK: %[[Q:.*]]:2 = weft.quantize_rows ins(%[[X]] : tensor<?x6xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x8xi8>, tensor<?xf32>)
// CHECK-NOT: weft.quantize_rows
// CHECK-DAG: %[[V:.*]] = weft.parameter "a.packed.int8" sources(["a"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<2x2x64xi8>
// CHECK-DAG: %[[T:.*]] = weft.parameter "a.packed.int8_scales" sources(["a"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<20xf32>
// CHECK: weft.quantized_matmul ins(%[[Q]]#0, %[[Q]]#1, %[[V]], %[[T]], %{{.*}} : {{.*}}) outs(%{{.*}} : tensor<?x20xf32>)
// CHECK: weft.quantized_matmul ins(%[[Q]]#0, %[[Q]]#1, %{{.*}}, %{{.*}} : {{.*}}) outs(%{{.*}} : tensor<?x16xf32>)
module attributes {weft.weights = "int8"} {
func.func @two_products(%x: tensor<?x6xf32>, %bias: tensor<20xf32>, %n: index) -> (tensor<?x20xf32>, tensor<?x16xf32>) {
  %w = weft.parameter "a.packed" sources(["a"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x6x16xf32>
  %u = weft.parameter "b.packed" sources(["b"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x6x16xf32>
  %init = tensor.empty(%n) : tensor<?x20xf32>
  %other = tensor.empty(%n) : tensor<?x16xf32>
  %y = weft.packed_matmul ins(%x, %w, %bias : tensor<?x6xf32>, tensor<2x6x16xf32>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %z = weft.packed_matmul ins(%x, %u : tensor<?x6xf32>, tensor<1x6x16xf32>) outs(%other : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y, %z : tensor<?x20xf32>, tensor<?x16xf32>
}
}

// -----

// CHECK-LABEL: func.func @no_weight(
// CHECK: weft.packed_matmul
module attributes {weft.weights = "int8"} {
func.func @no_weight(%x: tensor<?x6xf32>, %w: tensor<2x6x16xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  // expected-remark@+1 {{the right operand is not a weight}}
  %y = weft.packed_matmul ins(%x, %w : tensor<?x6xf32>, tensor<2x6x16xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}

// -----

// CHECK-LABEL: func.func @kept(
// CHECK: weft.packed_matmul
func.func @kept(%x: tensor<?x8xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x8x16xf32>
  %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<1x8x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// In groups along k the activations stay as they are.
// CHECK-LABEL: func.func @groups(
// CHECK-SAME: %[[X:.*]]: tensor<?x40xf32>
// CHECK: %[[V:.*]] = weft.parameter "a.packed.int4" sources(["a"]) layout(<width = 16, out_by_in = true, form = "int4">) : tensor<2x2x288xi8>
// CHECK: weft.groupwise_matmul {bits = 4 : i64, group = 32 : i64} ins(%[[X]], %[[V]], %{{.*}} : {{.*}}) outs(%{{.*}} : tensor<?x20xf32>)
module attributes {weft.weights = "int4"} {
func.func @groups(%x: tensor<?x40xf32>, %bias: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "a.packed" sources(["a"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x40x16xf32>
  %y = weft.packed_matmul ins(%x, %w, %bias : tensor<?x40xf32>, tensor<2x40x16xf32>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}

// -----

// CHECK-LABEL: func.func @unknown_depth(
// CHECK: weft.packed_matmul
module attributes {weft.weights = "q8_0"} {
func.func @unknown_depth(%x: tensor<?x?xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x8x16xf32>
  // expected-remark@+1 {{the number of columns of the left operand is not known}}
  %y = weft.packed_matmul ins(%x, %w : tensor<?x?xf32>, tensor<1x8x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// expected-error@+1 {{weft.weights must be keep, int8 or a form of groups, got "int5"}}
module attributes {weft.weights = "int5"} {
}

// -----

// CHECK-LABEL: func.func @blocks(
// CHECK: weft.packed_matmul
module attributes {weft.weights = "int8"} {
func.func @blocks(%x: tensor<?x8xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x1x4x16xf32>
  // expected-remark@+1 {{a block-diagonal weight is not rounded}}
  %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}
