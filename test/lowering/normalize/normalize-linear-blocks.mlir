// RUN: weft-opt %s --weft-normalize-linear --remarks-filter-missed="weft-.*" --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#left = affine_map<(m, g, n, k) -> (m, g, k)>
#in_by_out = affine_map<(m, g, n, k) -> (g, k, n)>
#out_by_in = affine_map<(m, g, n, k) -> (g, n, k)>
#out = affine_map<(m, g, n, k) -> (m, g, n)>
#all = affine_map<(m, n) -> (m, n)>
#column = affine_map<(m, n) -> (n)>

// Three blocks of 4 columns in and 5 out; the bias row is the products' start.
// CHECK-LABEL: @with_bias
// CHECK-SAME: %[[X:.*]]: tensor<?x12xf32>, %[[B:.*]]: tensor<15xf32>
// CHECK: %[[W:.*]] = weft.parameter "gate.packed_in_by_out" sources(["gate"]) layout(<width = 16, out_by_in = false>) : tensor<3x1x4x16xf32>
// CHECK-NOT: linalg
// CHECK: %[[Y:.*]] = weft.packed_matmul ins(%[[X]], %[[W]], %[[B]] : tensor<?x12xf32>, tensor<3x1x4x16xf32>, tensor<15xf32>) outs(%{{.*}} : tensor<?x15xf32>)
// CHECK: return %[[Y]]
func.func @with_bias(%x: tensor<?x12xf32>, %b: tensor<15xf32>, %init: tensor<?x3x5xf32>, %rows: tensor<?x15xf32>, %m: index) -> tensor<?x15xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "gate" : tensor<3x4x5xf32>
  %parts = tensor.expand_shape %x [[0], [1, 2]] output_shape [%m, 3, 4] : tensor<?x12xf32> into tensor<?x3x4xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x3x5xf32>) -> tensor<?x3x5xf32>
  %p = linalg.contract indexing_maps = [#left, #in_by_out, #out]
       ins(%parts, %w : tensor<?x3x4xf32>, tensor<3x4x5xf32>) outs(%start : tensor<?x3x5xf32>) -> tensor<?x3x5xf32>
  %flat = tensor.collapse_shape %p [[0], [1, 2]] : tensor<?x3x5xf32> into tensor<?x15xf32>
  %y = linalg.generic {indexing_maps = [#all, #column, #all], iterator_types = ["parallel", "parallel"]}
       ins(%flat, %b : tensor<?x15xf32>, tensor<15xf32>) outs(%rows : tensor<?x15xf32>) {
  ^bb0(%s: f32, %v: f32, %o: f32):
    %sum = arith.addf %s, %v : f32
    linalg.yield %sum : f32
  } -> tensor<?x15xf32>
  return %y : tensor<?x15xf32>
}

// Nobody sees its columns side by side.
// CHECK-LABEL: @out_by_in
// CHECK-SAME: %[[X:.*]]: tensor<?x3x4xf32>
// CHECK: weft.parameter "gate.packed" sources(["gate"]) layout(<width = 16, out_by_in = true>) : tensor<3x1x4x16xf32>
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0], [1, 2]] : tensor<?x3x4xf32> into tensor<?x12xf32>
// CHECK: %[[Y:.*]] = weft.packed_matmul ins(%[[FLAT]],
// CHECK: tensor.expand_shape %[[Y]] {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 3, 5]
func.func @out_by_in(%x: tensor<?x3x4xf32>, %init: tensor<?x3x5xf32>) -> tensor<?x3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "gate" : tensor<3x5x4xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<?x3x5xf32>) -> tensor<?x3x5xf32>
  %p = linalg.contract indexing_maps = [#left, #out_by_in, #out]
       ins(%x, %w : tensor<?x3x4xf32>, tensor<3x5x4xf32>) outs(%start : tensor<?x3x5xf32>) -> tensor<?x3x5xf32>
  return %p : tensor<?x3x5xf32>
}

// CHECK-LABEL: @negative_blocks_first
// CHECK: linalg.contract
func.func @negative_blocks_first(%x: tensor<3x?x4xf32>, %init: tensor<3x?x5xf32>) -> tensor<3x?x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "gate" : tensor<3x4x5xf32>
  %start = linalg.fill ins(%zero : f32) outs(%init : tensor<3x?x5xf32>) -> tensor<3x?x5xf32>
  // expected-remark@+1 {{the operands' indexing maps are not those of a product of rows with a weight}}
  %p = linalg.contract indexing_maps = [affine_map<(g, m, n, k) -> (g, m, k)>, affine_map<(g, m, n, k) -> (g, k, n)>,
                                        affine_map<(g, m, n, k) -> (g, m, n)>]
       ins(%x, %w : tensor<3x?x4xf32>, tensor<3x4x5xf32>) outs(%start : tensor<3x?x5xf32>) -> tensor<3x?x5xf32>
  return %p : tensor<3x?x5xf32>
}
