// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: weft.combine ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?xi32>, tensor<?xf32>) outs(%{{.*}} : tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @tensors(%rows: tensor<?x8xf32>, %tokens: tensor<?xi32>, %weights: tensor<?xf32>, %x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = weft.combine ins(%rows, %tokens, %weights : tensor<?x8xf32>, tensor<?xi32>, tensor<?xf32>)
       outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @memrefs
// CHECK: weft.combine ins(%{{.*}}, %{{.*}}, %{{.*}} : memref<6x?xf32>, memref<6xi32>, memref<6xf32>) outs(%{{.*}} : memref<3x?xf32>){{$}}
func.func @memrefs(%rows: memref<6x?xf32>, %tokens: memref<6xi32>, %weights: memref<6xf32>, %x: memref<3x?xf32>) {
  weft.combine ins(%rows, %tokens, %weights : memref<6x?xf32>, memref<6xi32>, memref<6xf32>) outs(%x : memref<3x?xf32>)
  return
}
