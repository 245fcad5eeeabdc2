// RUN: weft-opt %s --split-input-file --weft-quantize-experts --remarks-filter-missed=weft-quantize-experts --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @groups(
// CHECK: %[[V:.*]] = weft.parameter "w.packed.int4" sources(["0.w", "1.w"]) layout(<width = 16, out_by_in = true, form = "int4">) : tensor<2x1x2x288xi8>
// CHECK: weft.grouped_matmul {bits = 4 : i64, group = 32 : i64} ins(%{{.*}}, %[[V]], %{{.*}} : {{.*}}) outs(
module attributes {weft.weights = "int4"} {
func.func @groups(%x: tensor<?x40xf32>, %offsets: tensor<3xi32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = weft.parameter "w.packed" sources(["0.w", "1.w"]) layout(#weft.panels<width = 16, out_by_in = true>)
       : tensor<2x1x40x16xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x40xf32>, tensor<2x1x40x16xf32>, tensor<3xi32>)
       outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// In 8 bits rows are rounded too, once for both products.
// CHECK-LABEL: func.func @eight_bits(
// CHECK-SAME: %[[X:.*]]: tensor<?x42xf32>
// CHECK-DAG: %[[V:.*]] = weft.parameter "w.packed.int8" sources(["w"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<2x2x11x64xi8>
// CHECK-DAG: %[[T:.*]] = weft.parameter "w.packed.int8_scales" sources(["w"]) layout(<width = 16, out_by_in = true, int8 = true>) : tensor<2x20xf32>
// CHECK: %[[Q:.*]]:2 = weft.quantize_rows ins(%[[X]] : tensor<?x42xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x44xi8>, tensor<?xf32>)
// CHECK-NOT: weft.quantize_rows
// CHECK: weft.grouped_matmul ins(%[[Q]]#0, %[[V]], %{{.*}} : {{.*}}) rows(%{{.*}} : tensor<?xi32>) scales(%[[Q]]#1, %[[T]] : tensor<?xf32>, tensor<2x20xf32>)
// CHECK: weft.grouped_matmul ins(%[[Q]]#0,
module attributes {weft.weights = "int8"} {
func.func @eight_bits(%x: tensor<?x42xf32>, %offsets: tensor<3xi32>, %tokens: tensor<?xi32>, %init: tensor<?x20xf32>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x2x42x16xf32>
  %u = weft.parameter "u.packed" sources(["u"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x2x42x16xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x42xf32>, tensor<2x2x42x16xf32>, tensor<3xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  %z = weft.grouped_matmul ins(%x, %u, %offsets : tensor<?x42xf32>, tensor<2x2x42x16xf32>, tensor<3xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y, %z : tensor<?x20xf32>, tensor<?x20xf32>
}
}

// -----

// CHECK-LABEL: func.func @kept(
// CHECK: weft.grouped_matmul ins(
module attributes {weft.weights = "int4"} {
func.func @kept(%x: tensor<?x40xf32>, %w: tensor<2x1x40x16xf32>, %offsets: tensor<3xi32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  // expected-remark@+1 {{the right operand is not a weight in panels}}
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x40xf32>, tensor<2x1x40x16xf32>, tensor<3xi32>)
       outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
}

// -----

// CHECK-LABEL: func.func @nothing_asked(
// CHECK: weft.parameter "w.packed" sources
func.func @nothing_asked(%x: tensor<?x40xf32>, %offsets: tensor<3xi32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x1x40x16xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x40xf32>, tensor<2x1x40x16xf32>, tensor<3xi32>)
       outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
