// The definition of groupwise_matmul: a sum over k of weights that are taken out of the bytes.
// RUN: weft-opt %s --transform-interpreter --canonicalize | FileCheck %s

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %ops = transform.structured.match ops{["weft.groupwise_matmul"]} in %root : (!transform.any_op) -> !transform.any_op
    %definitions = transform.structured.decompose_interface %ops : (!transform.any_op) -> !transform.any_op
    transform.yield
  }

  // CHECK-LABEL: func.func @product(
  // CHECK-SAME: %[[X:.*]]: tensor<?x50xf32>, %[[W:.*]]: tensor<2x2x288xi8>, %[[B:.*]]: tensor<20xf32>, %[[OUT:.*]]: tensor<?x20xf32>
  // CHECK: %[[START:.*]] = linalg.generic {{.*}} ins(%[[B]]
  // CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]] : {{.*}}) outs(%[[START]]
  // CHECK: %[[BYTE:.*]] = tensor.extract %[[W]]
  // CHECK: arith.shli %[[BYTE]], %
  // CHECK: arith.shrsi %{{.*}}, %c4_i8
  // CHECK: arith.sitofp
  // CHECK: %[[LOW:.*]] = tensor.extract %[[W]]
  // CHECK: arith.extui %[[LOW]] : i8 to i16
  // CHECK: %[[HIGH:.*]] = tensor.extract %[[W]]
  // CHECK: arith.extui %[[HIGH]] : i8 to i16
  // CHECK: arith.bitcast %{{.*}} : i16 to f16
  // CHECK: arith.extf
  // CHECK: arith.mulf
  // CHECK: arith.mulf
  // CHECK: arith.addf
  func.func @product(%x: tensor<?x50xf32>, %w: tensor<2x2x288xi8>, %b: tensor<20xf32>, %init: tensor<?x20xf32>) -> tensor<?x20xf32> {
    %y = weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w, %b : tensor<?x50xf32>, tensor<2x2x288xi8>, tensor<20xf32>) outs(%init : tensor<?x20xf32>) -> tensor<?x20xf32>
    return %y : tensor<?x20xf32>
  }
}
