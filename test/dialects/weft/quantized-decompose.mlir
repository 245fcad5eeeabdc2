// The definitions of quantize_rows and quantized_matmul.
// RUN: weft-opt %s --weft-decompose-ops --transform-interpreter --canonicalize | FileCheck %s

// CHECK-DAG: #[[ALL:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 16, d2 floordiv 4, {{.*}})>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.quantized_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // Six columns and two of zeros.
  // CHECK-LABEL: func.func @rows(
  // CHECK-SAME: %[[X:.*]]: tensor<?x6xf32>, %[[V:.*]]: tensor<?x8xi8>, %[[T:.*]]: tensor<?xf32>
  // CHECK: %[[MOST:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]]], iterator_types = ["parallel", "reduction"]} ins(%[[X]]
  // CHECK: arith.bitcast
  // CHECK: arith.andi
  // CHECK: arith.maxsi
  // CHECK: %[[INVERSE:.*]] = linalg.generic {{.*}} ins(%[[MOST]]
  // CHECK: arith.divf %cst{{.*}}, %
  // CHECK: %[[ZEROS:.*]] = linalg.fill {{.*}} outs(%[[V]]
  // CHECK: %[[OWN:.*]] = tensor.extract_slice %[[ZEROS]][0, 0] [%{{.*}}, 6] [1, 1]
  // CHECK: %[[Q:.*]] = linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[ALL]]], {{.*}} ins(%[[X]], %[[INVERSE]] : {{.*}}) outs(%[[OWN]]
  // CHECK: arith.trunci
  // CHECK: tensor.insert_slice %[[Q]] into %[[ZEROS]]
  // CHECK: linalg.generic {{.*}} ins(%[[MOST]] : {{.*}}) outs(%[[T]]
  func.func @rows(%x: tensor<?x6xf32>, %v: tensor<?x8xi8>, %t: tensor<?xf32>) -> (tensor<?x8xi8>, tensor<?xf32>) {
    %q, %s = weft.quantize_rows ins(%x : tensor<?x6xf32>) outs(%v, %t : tensor<?x8xi8>, tensor<?xf32>) -> tensor<?x8xi8>, tensor<?xf32>
    return %q, %s : tensor<?x8xi8>, tensor<?xf32>
  }

  // CHECK-LABEL: func.func @product(
  // CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #[[PANELS]], #{{.*}}], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK: arith.muli
  // CHECK: arith.addi
  // CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[ROW]], #[[COLUMN]], #[[COLUMN]], #[[ALL]]], {{.*}} ins(%[[SUMS]]
  // CHECK: arith.sitofp
  // CHECK: arith.mulf
  // CHECK: arith.mulf
  // CHECK: arith.addf
  func.func @product(%x: tensor<?x8xi8>, %xs: tensor<?xf32>, %w: tensor<2x2x64xi8>, %ws: tensor<20xf32>, %b: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
    %y = weft.quantized_matmul ins(%x, %xs, %w, %ws, %b : tensor<?x8xi8>, tensor<?xf32>, tensor<2x2x64xi8>, tensor<20xf32>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    return %y : tensor<?x20xf32>
  }
}
