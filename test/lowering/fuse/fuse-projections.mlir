// RUN: weft-opt %s --split-input-file --weft-fuse-projections --remarks-filter-missed=weft-fuse-projections --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// RUN: weft-opt %s --split-input-file --weft-fuse-projections --remarks-filter-analyse=weft-fuse-projections --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=COST
// COST: as one product: 1324 cycles, apart: 1624

// Queries and keys of one tensor; 20 + 12 columns fill two panels of 16, which 2 + 1 panels would not.
// CHECK-LABEL: @queries_and_keys
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[N:.*]]: index, %[[M:.*]]: index)
// CHECK: %[[W:.*]] = weft.parameter "q.weight+k.weight" sources(["q.w", "k.w"]) layout(<width = 16, out_by_in = true>) : tensor<2x4x16xf32>
// CHECK: %[[B:.*]] = weft.parameter "q.bias+k.bias" sources(["q.bias", "k.bias"]) : tensor<32xf32>
// CHECK: %[[INIT:.*]] = tensor.empty(%[[N]]) : tensor<?x32xf32>
// CHECK: %[[QK:.*]] = weft.packed_matmul ins(%[[X]], %[[W]], %[[B]] : {{.*}}) outs(%[[INIT]] : tensor<?x32xf32>)
// CHECK: tensor.extract_slice %[[QK]][0, 0] [%[[N]], 20] [1, 1]
// CHECK: tensor.extract_slice %[[QK]][0, 20] [%[[N]], 12] [1, 1]
// CHECK-NOT: weft.packed_matmul
func.func @queries_and_keys(%x: tensor<?x4xf32>, %n: index, %m: index) -> (tensor<?x?x20xf32>, tensor<?x?x12xf32>) {
  %wq = weft.parameter "q.weight" sources(["q.w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x4x16xf32>
  %wk = weft.parameter "k.weight" sources(["k.w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  %bq = weft.parameter "q.bias" : tensor<20xf32>
  %bk = weft.parameter "k.bias" : tensor<12xf32>
  %eq = tensor.empty(%n) : tensor<?x20xf32>
  %ek = tensor.empty(%n) : tensor<?x12xf32>
  %q = weft.packed_matmul ins(%x, %wq, %bq : tensor<?x4xf32>, tensor<2x4x16xf32>, tensor<20xf32>) outs(%eq : tensor<?x20xf32>) -> tensor<?x20xf32>
  %k = weft.packed_matmul ins(%x, %wk, %bk : tensor<?x4xf32>, tensor<1x4x16xf32>, tensor<12xf32>) outs(%ek : tensor<?x12xf32>) -> tensor<?x12xf32>
  %0 = tensor.expand_shape %q [[0, 1], [2]] output_shape [%m, %m, 20] : tensor<?x20xf32> into tensor<?x?x20xf32>
  %1 = tensor.expand_shape %k [[0, 1], [2]] output_shape [%m, %m, 12] : tensor<?x12xf32> into tensor<?x?x12xf32>
  return %0, %1 : tensor<?x?x20xf32>, tensor<?x?x12xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>

// An activation is better off as the epilogue of its own product.
// CHECK-LABEL: @negative_elementwise_reader
// CHECK-COUNT-2: weft.packed_matmul
func.func @negative_elementwise_reader(%x: tensor<?x4xf32>, %init: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %w0 = weft.parameter "gate" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  %w1 = weft.parameter "up" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  // expected-remark@+1 {{another product reads the same tensor, but this one's result has an elementwise reader}}
  %g = weft.packed_matmul ins(%x, %w0 : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  // expected-remark@+1 {{another product reads the same tensor, but this one's result has an elementwise reader}}
  %u = weft.packed_matmul ins(%x, %w1 : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
       ins(%g, %u : tensor<?x16xf32>, tensor<?x16xf32>) outs(%init : tensor<?x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %gated = arith.mulf %a, %b : f32
    linalg.yield %gated : f32
  } -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// CHECK-LABEL: @negative_other_layouts
// CHECK-COUNT-2: weft.packed_matmul
func.func @negative_other_layouts(%x: tensor<?x4xf32>, %init: tensor<?x16xf32>) -> (tensor<?x4x4xf32>, tensor<?x4x4xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %w0 = weft.parameter "a" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  %w1 = weft.parameter "b" layout(#weft.panels<width = 16, out_by_in = false>) : tensor<1x4x16xf32>
  %a = weft.packed_matmul ins(%x, %w0 : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = weft.packed_matmul ins(%x, %w1 : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %0 = tensor.expand_shape %a [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  %1 = tensor.expand_shape %b [[0], [1, 2]] output_shape [%n, 4, 4] : tensor<?x16xf32> into tensor<?x4x4xf32>
  return %0, %1 : tensor<?x4x4xf32>, tensor<?x4x4xf32>
}

// -----

// All have a bias, or none has.
// CHECK-LABEL: @negative_bias_of_one
// CHECK-COUNT-2: weft.packed_matmul
func.func @negative_bias_of_one(%x: tensor<?x4xf32>, %init: tensor<?x16xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %w0 = weft.parameter "a" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  %w1 = weft.parameter "b" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
  %bias = weft.parameter "b.bias" : tensor<16xf32>
  %a = weft.packed_matmul ins(%x, %w0 : tensor<?x4xf32>, tensor<1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = weft.packed_matmul ins(%x, %w1, %bias : tensor<?x4xf32>, tensor<1x4x16xf32>, tensor<16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %0 = tensor.extract_slice %a[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %1 = tensor.extract_slice %b[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// Panels of blocks are not side by side.
// CHECK-LABEL: @negative_blocks
// CHECK-COUNT-2: weft.packed_matmul
func.func @negative_blocks(%x: tensor<?x8xf32>, %init: tensor<?x16xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %w0 = weft.parameter "a" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x1x4x16xf32>
  %w1 = weft.parameter "b" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x1x4x16xf32>
  %a = weft.packed_matmul ins(%x, %w0 : tensor<?x8xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %b = weft.packed_matmul ins(%x, %w1 : tensor<?x8xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<?x16xf32>) -> tensor<?x16xf32>
  %0 = tensor.extract_slice %a[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %1 = tensor.extract_slice %b[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}
