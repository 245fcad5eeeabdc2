// The definitions of layer_norm, rms_norm, embedding and packed_matmul.
// RUN: weft-opt %s --transform-interpreter --canonicalize | FileCheck %s

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[LHS:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 16, d2, d1 mod 16)>
// CHECK-DAG: #[[PAIRS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 16, d2 floordiv 2, (d1 mod 16) * 2 + d2 mod 2)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.layer_norm", "weft.rms_norm", "weft.embedding", "weft.packed_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // CHECK-LABEL: func.func @layer_norm(
  // CHECK-SAME: %[[X:.*]]: tensor<?x8xbf16>, %[[SCALE:.*]]: tensor<8xf32>, %[[INIT:.*]]: tensor<?x8xbf16>
  // CHECK-DAG: %[[N:.*]] = arith.constant 8.000000e+00 : f32
  // CHECK-DAG: %[[EPSILON:.*]] = arith.constant 5.000000e-01 : f32
  // CHECK-DAG: %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
  // CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]]
  // CHECK: arith.extf
  // CHECK: arith.addf
  // CHECK: %[[MEAN:.*]] = linalg.generic {{.*}} ins(%[[SUM]]
  // CHECK: arith.divf %{{.*}}, %[[N]]
  // CHECK: %[[SQUARES:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]], %[[MEAN]]
  // CHECK: %[[DISTANCE:.*]] = arith.subf
  // CHECK: arith.mulf %[[DISTANCE]], %[[DISTANCE]]
  // CHECK: %[[INVERSE:.*]] = linalg.generic {{.*}} ins(%[[SQUARES]]
  // CHECK: arith.divf %{{.*}}, %[[N]]
  // CHECK: arith.addf %{{.*}}, %[[EPSILON]]
  // CHECK: %[[DEVIATION:.*]] = math.sqrt
  // CHECK: arith.divf %[[ONE]], %[[DEVIATION]]
  // CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ROW]], #[[COLUMN]], #[[ALL]]], iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[MEAN]], %[[INVERSE]], %[[SCALE]] :{{.*}}) outs(%[[INIT]] :
  // CHECK: arith.subf
  // CHECK-COUNT-2: arith.mulf
  // CHECK-NOT: arith.{{addf|divf}}
  // CHECK: arith.truncf
  func.func @layer_norm(%x: tensor<?x8xbf16>, %scale: tensor<8xf32>, %init: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
    %y = weft.layer_norm {epsilon = 0.5 : f32} ins(%x, %scale : tensor<?x8xbf16>, tensor<8xf32>) outs(%init : tensor<?x8xbf16>) -> tensor<?x8xbf16>
    return %y : tensor<?x8xbf16>
  }

  // The extent of a dynamic row is counted at run time.
  // CHECK-LABEL: func.func @layer_norm_dynamic(
  // CHECK: %[[EXTENT:.*]] = tensor.dim
  // CHECK: %[[INTEGER:.*]] = arith.index_cast %[[EXTENT]] : index to i64
  // CHECK: arith.sitofp %[[INTEGER]] : i64 to f32
  func.func @layer_norm_dynamic(%x: tensor<?xf32>, %scale: tensor<?xf32>, %init: tensor<?xf32>) -> tensor<?xf32> {
    %y = weft.layer_norm {epsilon = 0.5 : f32} ins(%x, %scale : tensor<?xf32>, tensor<?xf32>) outs(%init : tensor<?xf32>) -> tensor<?xf32>
    return %y : tensor<?xf32>
  }

  // CHECK-LABEL: func.func @rms_norm(
  // CHECK-SAME: %[[X:.*]]: tensor<?x8xbf16>, %[[SCALE:.*]]: tensor<8xf32>, %[[INIT:.*]]: tensor<?x8xbf16>
  // CHECK: %[[SQUARES:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]]
  // CHECK: %[[ELEMENT:.*]] = arith.extf {{.*}} : bf16 to f32
  // CHECK: arith.mulf %[[ELEMENT]], %[[ELEMENT]]
  // CHECK: %[[INVERSE:.*]] = linalg.generic {{.*}} ins(%[[SQUARES]]
  // CHECK: math.sqrt
  // CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[COLUMN]], #[[ALL]]], iterator_types = ["parallel", "parallel"]} ins(%[[X]], %[[INVERSE]], %[[SCALE]] :{{.*}}) outs(%[[INIT]] :
  // CHECK-COUNT-2: arith.mulf
  // CHECK: arith.truncf
  func.func @rms_norm(%x: tensor<?x8xbf16>, %scale: tensor<8xf32>, %init: tensor<?x8xbf16>) -> tensor<?x8xbf16> {
    %y = weft.rms_norm {epsilon = 0.5 : f32} ins(%x, %scale : tensor<?x8xbf16>, tensor<8xf32>) outs(%init : tensor<?x8xbf16>) -> tensor<?x8xbf16>
    return %y : tensor<?x8xbf16>
  }

  // CHECK-LABEL: func.func @embedding(
  // CHECK-SAME: %[[IDS:.*]]: tensor<?xi64>, %[[TABLE:.*]]: tensor<?x4xf32>, %[[INIT:.*]]: tensor<?x4xf32>
  // CHECK: linalg.generic {indexing_maps = [#[[ROW]], #[[ALL]]], iterator_types = ["parallel", "parallel"]} ins(%[[IDS]] {{.*}} outs(%[[INIT]]
  // CHECK-NEXT: ^bb0(%[[ID:.*]]: i64, %{{.*}}: f32):
  // CHECK-DAG: %[[R:.*]] = arith.index_cast %[[ID]] : i64 to index
  // CHECK-DAG: %[[C:.*]] = linalg.index 1
  // CHECK: tensor.extract %[[TABLE]][%[[R]], %[[C]]]
  func.func @embedding(%ids: tensor<?xi64>, %table: tensor<?x4xf32>, %init: tensor<?x4xf32>) -> tensor<?x4xf32> {
    %y = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
    return %y : tensor<?x4xf32>
  }

  // CHECK-LABEL: func.func @packed_matmul(
  // CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<2x8x16xf32>, %[[B:.*]]: tensor<20xf32>
  // CHECK: %[[START:.*]] = linalg.generic {indexing_maps = [#[[COLUMN]], #[[ALL]]], {{.*}}} ins(%[[B]]
  // CHECK: linalg.generic {indexing_maps = [#[[LHS]], #[[PANELS]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]], %[[W]] : {{.*}}) outs(%[[START]]
  // CHECK: arith.mulf
  // CHECK: arith.addf
  func.func @packed_matmul(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %b: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
    %y = weft.packed_matmul ins(%x, %w, %b : tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    return %y : tensor<?x20xf32>
  }

  // CHECK-LABEL: func.func @pairs_of_steps(
  // CHECK: linalg.generic {indexing_maps = [#[[LHS]], #[[PAIRS]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK: arith.extf {{.*}} : bf16 to f32
  // CHECK: arith.mulf
  func.func @pairs_of_steps(%x: tensor<?x9xf32>, %w: tensor<2x5x32xbf16>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
    %y = weft.packed_matmul ins(%x, %w : tensor<?x9xf32>, tensor<2x5x32xbf16>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    return %y : tensor<?x20xf32>
  }

  // Blocks: sums of (m, g, n, k).
  // CHECK-LABEL: func.func @blocks(
  // CHECK-SAME: %[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<2x1x4x16xf32>
  // CHECK: %[[SPLIT:.*]] = tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]] output_shape [%{{.*}}, 2, 4]
  // CHECK: %[[SUMS:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction"]} ins(%[[SPLIT]], %[[W]] : {{.*}}) outs(%{{.*}} : tensor<?x2x5xf32>)
  // CHECK: tensor.collapse_shape %[[SUMS]] {{\[\[}}0], [1, 2]] : tensor<?x2x5xf32> into tensor<?x10xf32>
  func.func @blocks(%x: tensor<?x8xf32>, %w: tensor<2x1x4x16xf32>, %init: tensor<?x10xf32>) -> tensor<?x10xf32> {
    %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<2x1x4x16xf32>) outs(%init : tensor<?x10xf32>) -> tensor<?x10xf32>
    return %y : tensor<?x10xf32>
  }
}
