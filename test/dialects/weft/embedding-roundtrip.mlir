// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rows
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : tensor<?x?xi64>, tensor<10x4xf32>) outs(%{{.*}} : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
func.func @rows(%ids: tensor<?x?xi64>, %table: tensor<10x4xf32>, %init: tensor<?x?x4xf32>) -> tensor<?x?x4xf32> {
  %y = weft.embedding ins(%ids, %table : tensor<?x?xi64>, tensor<10x4xf32>) outs(%init : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  return %y : tensor<?x?x4xf32>
}

// CHECK-LABEL: @one_row_of_memref
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : memref<index>, memref<?x?xi8>) outs(%{{.*}} : memref<?xi8>){{$}}
func.func @one_row_of_memref(%ids: memref<index>, %table: memref<?x?xi8>, %init: memref<?xi8>) {
  weft.embedding ins(%ids, %table : memref<index>, memref<?x?xi8>) outs(%init : memref<?xi8>)
  return
}
