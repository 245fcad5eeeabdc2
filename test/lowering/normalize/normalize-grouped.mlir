// RUN: weft-opt %s --split-input-file --weft-normalize-grouped --remarks-filter-missed=weft-normalize-grouped --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @stacked(
// CHECK: %[[W:.*]] = weft.parameter "up.packed" sources(["0.up.weight", "1.up.weight"]) layout(<width = 16, out_by_in = true>) : tensor<2x2x4x16xf32>
// CHECK: weft.grouped_matmul ins(%{{.*}}, %[[W]], %{{.*}} : {{.*}}) outs(%{{.*}} : tensor<?x20xf32>)
func.func @stacked(%x: tensor<?x4xf32>, %offsets: tensor<3xi32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "up" sources(["0.up.weight", "1.up.weight"]) : tensor<2x20x4xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<2x20x4xf32>, tensor<3xi32>)
       outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// -----

// The files hold [groups, k, n]; the module asks for words of two bf16.
// CHECK-LABEL: func.func @in_by_out(
// CHECK: weft.parameter "down.packed_in_by_out" sources(["down"]) layout(<width = 16, out_by_in = false>) : tensor<3x2x3x32xbf16>
module attributes {weft.dtype = bf16} {
func.func @in_by_out(%x: tensor<?x5xf32>, %offsets: tensor<4xi32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "down" order[0, 2, 1] : tensor<3x20x5xf32>
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x5xf32>, tensor<3x20x5xf32>, tensor<4xi32>)
       outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
}

// -----

// CHECK-LABEL: func.func @computed(
// CHECK: weft.grouped_matmul ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<2x20x4xf32>
func.func @computed(%x: tensor<?x4xf32>, %w: tensor<2x20x4xf32>, %offsets: tensor<3xi32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  // expected-remark@+1 {{the right operand is not a weight as it is stored}}
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<2x20x4xf32>, tensor<3xi32>)
       outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// -----

// CHECK-LABEL: func.func @turned(
// CHECK: weft.parameter "w" order[2, 1, 0]
func.func @turned(%x: tensor<?x4xf32>, %offsets: tensor<3xi32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "w" order[2, 1, 0] : tensor<2x20x4xf32>
  // expected-remark@+1 {{the files have the groups' weights in another order}}
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x4xf32>, tensor<2x20x4xf32>, tensor<3xi32>)
       outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
