// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --remarks-filter-missed=weft-fuse-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// A collapse of an expansion cannot be written back to front into the output: the result is a copy.
// CHECK-LABEL: @collapse_of_expansion_is_copied
// CHECK: weft.kernel "map"
// CHECK: tensor.expand_shape
// CHECK: tensor.collapse_shape
// CHECK: %[[COPY:.*]] = weft.kernel "map"
// CHECK: return %[[COPY]]
func.func @collapse_of_expansion_is_copied(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> tensor<?x4xf32> attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %y = linalg.exp ins(%x : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %pairs = tensor.expand_shape %y [[0], [1, 2]] output_shape [%n, 2, 4] : tensor<?x8xf32> into tensor<?x2x4xf32>
  %rows = tensor.collapse_shape %pairs [[0, 1], [2]] : tensor<?x2x4xf32> into tensor<?x4xf32>
  return %rows : tensor<?x4xf32>
}

// -----

// Two results that start from one empty tensor get a destination each.
// CHECK-LABEL: @two_results
// CHECK: weft.kernel "map"(%{{.*}}, %[[A:.*]], %[[B:.*]] :
// CHECK: ^bb0(%{{.*}}: tensor<3x8xf32>, %[[FIRST:.*]]: tensor<3x8xf32>, %[[SECOND:.*]]: tensor<3x8xf32>):
// CHECK: outs(%[[FIRST]], %[[SECOND]] :
#id = affine_map<(m, n) -> (m, n)>
func.func @two_results(%x: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<3x8xf32>) attributes {weft.entry} {
  %e = tensor.empty() : tensor<3x8xf32>
  %y:2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<3x8xf32>) outs(%e, %e : tensor<3x8xf32>, tensor<3x8xf32>) {
  ^bb0(%a: f32, %p: f32, %q: f32):
    %sum = arith.addf %a, %a : f32
    %square = arith.mulf %a, %a : f32
    linalg.yield %sum, %square : f32, f32
  } -> (tensor<3x8xf32>, tensor<3x8xf32>)
  return %y#0, %y#1 : tensor<3x8xf32>, tensor<3x8xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: @negative_computed_table
// CHECK: weft.kernel "map"
// CHECK: weft.kernel "embedding"
func.func @negative_computed_table(%ids: tensor<4xi64>) -> tensor<4x8xf32> attributes {weft.entry} {
  %table = weft.parameter "table" : tensor<100x8xf32>
  %e = tensor.empty() : tensor<100x8xf32>
  // expected-remark@+1 {{a table is looked up anywhere, so it must be whole}}
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%table : tensor<100x8xf32>) outs(%e : tensor<100x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<100x8xf32>
  %o = tensor.empty() : tensor<4x8xf32>
  %y = weft.embedding ins(%ids, %t : tensor<4xi64>, tensor<100x8xf32>) outs(%o : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

func.func @negative_index_elements(%x: tensor<4xi64>) -> tensor<4xi64> attributes {weft.entry} {
  %e = tensor.empty() : tensor<4xi64>
  // expected-error@+1 {{makes a tensor of 'index', which is not compiled: use i64 or f32}}
  %i = tensor.empty() : tensor<4xindex>
  return %e : tensor<4xi64>
}

// -----

// expected-error@+1 {{argument 0: 'weft.dims' must be names, got [1]}}
func.func @negative_dims_without_names(%x: tensor<?xf32> {weft.dims = [1]}) -> tensor<?xf32> attributes {weft.entry} {
  return %x : tensor<?xf32>
}
