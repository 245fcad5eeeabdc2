// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// The example of CacheOps.td.
// CHECK-LABEL: func @keys(
// CHECK: weft.cache_update {dimension = 1 : i64} ins(%{{.*}}, %{{.*}} : tensor<?x?x4x16xf32>, tensor<?x?xi64>) outs(%{{.*}} : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32>
func.func @keys(%k: tensor<?x?x4x16xf32>, %positions: tensor<?x?xi64>, %cache: tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32> {
  %keys = weft.cache_update {dimension = 1 : i64} ins(%k, %positions : tensor<?x?x4x16xf32>, tensor<?x?xi64>)
          outs(%cache : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32>
  return %keys : tensor<?x?x4x16xf32>
}

// Heads before slots, the last positions only, in memory.
// CHECK-LABEL: func @window(
// CHECK: weft.cache_update {dimension = 2 : i64, ring} ins(%{{.*}}, %{{.*}} : memref<1x2x3x8xbf16>, memref<1x3xindex>) outs(%{{.*}} : memref<1x2x64x8xbf16>)
func.func @window(%k: memref<1x2x3x8xbf16>, %positions: memref<1x3xindex>, %cache: memref<1x2x64x8xbf16>) {
  weft.cache_update {dimension = 2 : i64, ring} ins(%k, %positions : memref<1x2x3x8xbf16>, memref<1x3xindex>) outs(%cache : memref<1x2x64x8xbf16>)
  return
}

// The second example of CacheOps.td.
// CHECK-LABEL: func @pages(
// CHECK: weft.cache_update {dimension = 1 : i64} ins(%{{.*}}, %{{.*}} : tensor<?x?x4x16xf32>, tensor<?x?xi64>) table(%{{.*}} : tensor<?x?xi64>) outs(%{{.*}} : tensor<?x16x4x16xf32>)
func.func @pages(%k: tensor<?x?x4x16xf32>, %positions: tensor<?x?xi64>, %table: tensor<?x?xi64>, %cache: tensor<?x16x4x16xf32>) -> tensor<?x16x4x16xf32> {
  %keys = weft.cache_update {dimension = 1 : i64} ins(%k, %positions : tensor<?x?x4x16xf32>, tensor<?x?xi64>)
          table(%table : tensor<?x?xi64>) outs(%cache : tensor<?x16x4x16xf32>) -> tensor<?x16x4x16xf32>
  return %keys : tensor<?x16x4x16xf32>
}
