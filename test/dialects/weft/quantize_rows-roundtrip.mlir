// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: weft.quantize_rows ins(%{{.*}} : tensor<?x6xf32>) outs(%{{.*}}, %{{.*}} : tensor<?x8xi8>, tensor<?xf32>) -> tensor<?x8xi8>, tensor<?xf32>
func.func @tensors(%x: tensor<?x6xf32>, %v: tensor<?x8xi8>, %t: tensor<?xf32>) -> (tensor<?x8xi8>, tensor<?xf32>) {
  %q, %s = weft.quantize_rows ins(%x : tensor<?x6xf32>) outs(%v, %t : tensor<?x8xi8>, tensor<?xf32>)
           -> tensor<?x8xi8>, tensor<?xf32>
  return %q, %s : tensor<?x8xi8>, tensor<?xf32>
}

// CHECK-LABEL: @memrefs
// CHECK: weft.quantize_rows ins(%{{.*}} : memref<?x?xf32>) outs(%{{.*}}, %{{.*}} : memref<?x?xi8>, memref<?xf32>){{$}}
func.func @memrefs(%x: memref<?x?xf32>, %v: memref<?x?xi8>, %t: memref<?xf32>) {
  weft.quantize_rows ins(%x : memref<?x?xf32>) outs(%v, %t : memref<?x?xi8>, memref<?xf32>)
  return
}
