// A cache is updated in its own memory; one whose old values are needed later is copied first.
// RUN: weft-opt %s --one-shot-bufferize=bufferize-function-boundaries --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[K:.*]]: memref<1x?x8xf32, {{.*}}>, %[[P:.*]]: memref<1x?xi64, {{.*}}>, %[[C:.*]]: memref<1x?x8xf32, {{.*}}>)
// CHECK-NOT: memref.alloc
// CHECK: weft.cache_update {dimension = 1 : i64} ins(%[[K]], %[[P]] : {{.*}}) outs(%[[C]] : {{.*}})
// CHECK-NOT: memref.copy
func.func @in_place(%k: tensor<1x?x8xf32>, %p: tensor<1x?xi64>, %c: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
  %r = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<1x?x8xf32>, tensor<1x?xi64>) outs(%c : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  return %r : tensor<1x?x8xf32>
}

// CHECK-LABEL: func.func @old_cache_is_needed(
// CHECK-SAME: %[[C:[a-z0-9]*]]: memref<1x?x8xf32, {{[^>]*>>}})
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK: memref.copy %[[C]], %[[NEW]]
// CHECK: weft.cache_update {{.*}} outs(%[[NEW]] : {{.*}})
func.func @old_cache_is_needed(%k: tensor<1x?x8xf32>, %p: tensor<1x?xi64>, %c: tensor<1x?x8xf32>) -> (tensor<1x?x8xf32>, tensor<1x?x8xf32>) {
  %r = weft.cache_update {dimension = 1 : i64} ins(%k, %p : tensor<1x?x8xf32>, tensor<1x?xi64>) outs(%c : tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  return %r, %c : tensor<1x?x8xf32>, tensor<1x?x8xf32>
}
