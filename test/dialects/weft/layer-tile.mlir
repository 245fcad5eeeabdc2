// Tiles of embedding, layer_norm, rms_norm and packed_matmul, fused: rows of tokens, and columns that start with a panel.
// RUN: weft-opt %s --transform-interpreter --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[PANEL:.*]] = affine_map<(d0) -> (d0 floordiv 16)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %products = transform.structured.match ops{["weft.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %tiled, %rows, %columns = transform.structured.fuse %products tile_sizes [4, 32, 0] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }

  // CHECK-LABEL: func.func @product_of_normalised_rows(
  // CHECK-SAME: %[[IDS:.*]]: tensor<?xi64>, %[[TABLE:.*]]: tensor<10x8xf32>, %[[SCALE:.*]]: tensor<8xf32>, %[[W:.*]]: tensor<4x8x16xf32>, %[[B:.*]]: tensor<64xf32>
  // CHECK: scf.for %[[M:.*]] = %{{.*}} to %{{.*}} step %c4
  // CHECK: scf.for %[[N:.*]] = %{{.*}} to %{{.*}} step %c32
  // CHECK-DAG: %[[ROWS:.*]] = affine.min
  // CHECK-DAG: %[[P:.*]] = affine.apply #[[PANEL]](%[[N]])
  // CHECK-DAG: %[[SOME_IDS:.*]] = tensor.extract_slice %[[IDS]][%[[M]]] [%[[ROWS]]] [1]
  // CHECK: %[[X:.*]] = weft.embedding ins(%[[SOME_IDS]], %[[TABLE]]
  // CHECK: %[[Y:.*]] = weft.layer_norm {{.*}} ins(%[[X]], %[[SCALE]]
  // CHECK-DAG: %[[PANELS:.*]] = tensor.extract_slice %[[W]][%[[P]], 0, 0] [2, 8, 16] [1, 1, 1]
  // CHECK-DAG: %[[BIAS:.*]] = tensor.extract_slice %[[B]][%[[N]]] [32] [1]
  // CHECK: %[[Z:.*]] = weft.packed_matmul ins(%[[Y]], %[[PANELS]], %[[BIAS]] : tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<32xf32>) outs(%{{.*}} : tensor<?x32xf32>)
  // CHECK: tensor.insert_slice %[[Z]] into %{{.*}}[%[[M]], %[[N]]] [%[[ROWS]], 32] [1, 1]
  func.func @product_of_normalised_rows(%ids: tensor<?xi64>, %table: tensor<10x8xf32>, %scale: tensor<8xf32>, %w: tensor<4x8x16xf32>, %b: tensor<64xf32>, %init: tensor<?x8xf32>, %out: tensor<?x64xf32>) -> tensor<?x64xf32> {
    %x = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<10x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
    %y = weft.layer_norm {epsilon = 0.5 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
    %z = weft.packed_matmul ins(%y, %w, %b : tensor<?x8xf32>, tensor<4x8x16xf32>, tensor<64xf32>) outs(%out : tensor<?x64xf32>) -> tensor<?x64xf32>
    return %z : tensor<?x64xf32>
  }

  // CHECK-LABEL: func.func @product_of_rows_of_length_one(
  // CHECK: %[[Y:.*]] = weft.rms_norm {{.*}} ins(%{{.*}} : tensor<?x8xf32>)
  // CHECK: weft.packed_matmul ins(%[[Y]]
  func.func @product_of_rows_of_length_one(%x: tensor<?x8xf32>, %w: tensor<4x8x16xf32>, %init: tensor<?x8xf32>, %out: tensor<?x64xf32>) -> tensor<?x64xf32> {
    %y = weft.rms_norm {epsilon = 0.5 : f32} ins(%x : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
    %z = weft.packed_matmul ins(%y, %w : tensor<?x8xf32>, tensor<4x8x16xf32>) outs(%out : tensor<?x64xf32>) -> tensor<?x64xf32>
    return %z : tensor<?x64xf32>
  }

  // A panel of pairs: an odd depth of 9 is five rows.
  // CHECK-LABEL: func.func @pairs_of_steps(
  // CHECK: %[[PANELS:.*]] = tensor.extract_slice %{{.*}}[%{{.*}}, 0, 0] [2, 5, 32] [1, 1, 1]
  // CHECK: weft.packed_matmul ins(%{{.*}}, %[[PANELS]] : tensor<?x9xf32>, tensor<2x5x32xbf16>)
  func.func @pairs_of_steps(%x: tensor<?x9xf32>, %w: tensor<4x5x32xbf16>, %out: tensor<?x64xf32>) -> tensor<?x64xf32> {
    %z = weft.packed_matmul ins(%x, %w : tensor<?x9xf32>, tensor<4x5x32xbf16>) outs(%out : tensor<?x64xf32>) -> tensor<?x64xf32>
    return %z : tensor<?x64xf32>
  }

  // Half of a block: its columns of the left operand and two of its four panels.
  // CHECK-LABEL: func.func @half_a_block(
  // CHECK-SAME: %[[X:.*]]: tensor<?x12xf32>, %[[W:.*]]: tensor<3x4x4x16xf32>
  // CHECK: scf.for %[[N:.*]] = %{{.*}} to %{{.*}} step %c32
  // CHECK-DAG: %[[K:.*]] = affine.apply #{{.*}}(%[[N]])
  // CHECK-DAG: tensor.extract_slice %[[X]][%{{.*}}, %[[K]]] [%{{.*}}, 4] [1, 1]
  // CHECK-DAG: tensor.extract_slice %[[W]][%{{.*}}, %{{.*}}, 0, 0] [1, 2, 4, 16] [1, 1, 1, 1] : tensor<3x4x4x16xf32> to tensor<2x4x16xf32>
  // CHECK: weft.packed_matmul ins(%{{.*}} : tensor<?x4xf32>, tensor<2x4x16xf32>) outs(%{{.*}} : tensor<?x32xf32>)
  func.func @half_a_block(%x: tensor<?x12xf32>, %w: tensor<3x4x4x16xf32>, %out: tensor<?x192xf32>) -> tensor<?x192xf32> {
    %z = weft.packed_matmul ins(%x, %w : tensor<?x12xf32>, tensor<3x4x4x16xf32>) outs(%out : tensor<?x192xf32>) -> tensor<?x192xf32>
    return %z : tensor<?x192xf32>
  }
}
