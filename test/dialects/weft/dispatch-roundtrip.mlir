// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @all_entries
// CHECK: weft.dispatch ins(%{{.*}}, %{{.*}} : tensor<?x2xi32>, tensor<?x2xf32>) outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?xi32>, tensor<?xf32>, tensor<9xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<9xi32>
func.func @all_entries(%experts: tensor<?x2xi32>, %weights: tensor<?x2xf32>, %t: tensor<?xi32>, %w: tensor<?xf32>, %o: tensor<9xi32>) -> tensor<9xi32> {
  %tokens, %sorted, %offsets = weft.dispatch ins(%experts, %weights : tensor<?x2xi32>, tensor<?x2xf32>)
      outs(%t, %w, %o : tensor<?xi32>, tensor<?xf32>, tensor<9xi32>) -> tensor<?xi32>, tensor<?xf32>, tensor<9xi32>
  return %offsets : tensor<9xi32>
}

// CHECK-LABEL: @memrefs_with_capacity
// CHECK: weft.dispatch {capacity = 0 : i64} ins(%{{.*}}, %{{.*}} : memref<3x2xi32>, memref<3x2xf32>) outs(%{{.*}}, %{{.*}}, %{{.*}} : memref<6xi32>, memref<6xf32>, memref<5xi32>){{$}}
func.func @memrefs_with_capacity(%experts: memref<3x2xi32>, %weights: memref<3x2xf32>, %t: memref<6xi32>, %w: memref<6xf32>, %o: memref<5xi32>) {
  weft.dispatch {capacity = 0} ins(%experts, %weights : memref<3x2xi32>, memref<3x2xf32>)
      outs(%t, %w, %o : memref<6xi32>, memref<6xf32>, memref<5xi32>)
  return
}
