// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @rows
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : tensor<?xi64>, tensor<10x4xf32>) outs(%{{.*}} : tensor<?x4xf32>) -> tensor<?x4xf32>
func.func @rows(%ids: tensor<?xi64>, %table: tensor<10x4xf32>, %init: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<10x4xf32>) outs(%init : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: @ids_of_any_rank
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : tensor<?x?xi32>, tensor<?x?xf16>) outs(%{{.*}} : tensor<?x?x?xf16>) -> tensor<?x?x?xf16>
func.func @ids_of_any_rank(%ids: tensor<?x?xi32>, %table: tensor<?x?xf16>, %init: tensor<?x?x?xf16>) -> tensor<?x?x?xf16> {
  %y = weft.embedding ins(%ids, %table : tensor<?x?xi32>, tensor<?x?xf16>) outs(%init : tensor<?x?x?xf16>) -> tensor<?x?x?xf16>
  return %y : tensor<?x?x?xf16>
}

// CHECK-LABEL: @one_row_of_memref
// CHECK: weft.embedding ins(%{{.*}}, %{{.*}} : memref<index>, memref<?x?xi8>) outs(%{{.*}} : memref<?xi8>){{$}}
func.func @one_row_of_memref(%ids: memref<index>, %table: memref<?x?xi8>, %init: memref<?xi8>) {
  weft.embedding ins(%ids, %table : memref<index>, memref<?x?xi8>) outs(%init : memref<?xi8>)
  return
}
