// RUN: weft-opt %s --canonicalize | FileCheck %s

// A table of a better known shape is used as it is; a result that nobody uses is not computed.
// CHECK-LABEL: @table_cast
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : tensor<?xi64>, tensor<10x4xf32>)
// CHECK-NOT: weft.embedding
func.func @table_cast(%ids: tensor<?xi64>, %table: tensor<10x4xf32>, %init: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = tensor.cast %table : tensor<10x4xf32> to tensor<?x4xf32>
  %y = weft.embedding ins(%ids, %0 : tensor<?xi64>, tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  %unused = weft.embedding ins(%ids, %0 : tensor<?xi64>, tensor<?x4xf32>) outs(%y : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
