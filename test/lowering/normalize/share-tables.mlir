// RUN: weft-opt %s --weft-share-tables --cse | FileCheck %s

// The tied head of a language model: one weight, in panels.
// CHECK-LABEL: func @tied(
// CHECK: %[[HEAD:.*]] = weft.parameter "emb.packed" sources(["emb"]) layout(<width = 16, out_by_in = true>) : tensor<2x8x16xf32>
// CHECK-NEXT: %[[X:.*]] = weft.embedding ins(%{{.*}}, %[[HEAD]] : tensor<?xi64>, tensor<2x8x16xf32>)
// CHECK: weft.packed_matmul ins(%[[X]], %[[HEAD]] :
func.func @tied(%ids: tensor<?xi64>, %e: tensor<?x8xf32>, %o: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %table = weft.parameter "emb" : tensor<32x8xf32>
  %x = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<32x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %head = weft.parameter "emb.packed" sources(["emb"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x8x16xf32>
  %y = weft.packed_matmul ins(%x, %head : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%o : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// Another tensor, or the same in another type: it stays.
// CHECK-LABEL: func @negative_untied(
// CHECK: weft.parameter "other" : tensor<32x8xf32>
func.func @negative_untied(%ids: tensor<?xi64>, %e: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %table = weft.parameter "other" : tensor<32x8xf32>
  %x = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<32x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %x : tensor<?x8xf32>
}
