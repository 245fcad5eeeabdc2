// RUN: weft-opt %s --weft-convert-views --canonicalize | FileCheck %s

// [tokens, hidden] as [batch, sequence, heads, head dimension]: the batch's stride is sequence · 8.
// CHECK-LABEL: @tokens
// CHECK-SAME: (%[[X:.*]]: memref<?x8xf32>, %[[B:.*]]: index, %[[S:.*]]: index)
// CHECK: %[[STRIDE:.*]] = arith.muli %[[S]], %c8
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%[[B]], %[[S]], 2, 4], strides: [%[[STRIDE]], 8, 4, 1]
// CHECK-NOT: memref.expand_shape
func.func @tokens(%x: memref<?x8xf32>, %b: index, %s: index) -> memref<?x?x2x4xf32> {
  %y = memref.expand_shape %x [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : memref<?x8xf32> into memref<?x?x2x4xf32>
  return %y : memref<?x?x2x4xf32>
}

// A slice of merged queries, keys and values: offset and strides are the slice's.
// CHECK-LABEL: @slice
// CHECK: %{{.*}}, %[[OFFSET:.*]], %{{.*}}, %{{.*}} = memref.extract_strided_metadata
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[OFFSET]]], sizes: [%{{.*}}, %{{.*}}, 2, 4], strides: [%{{.*}}, 24, 4, 1]
func.func @slice(%x: memref<?x8xf32, strided<[24, 1], offset: ?>>, %b: index, %s: index) -> memref<?x?x2x4xf32, strided<[?, 24, 4, 1], offset: ?>> {
  %y = memref.expand_shape %x [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : memref<?x8xf32, strided<[24, 1], offset: ?>> into memref<?x?x2x4xf32, strided<[?, 24, 4, 1], offset: ?>>
  return %y : memref<?x?x2x4xf32, strided<[?, 24, 4, 1], offset: ?>>
}

// CHECK-LABEL: @negative_collapse
// CHECK: memref.collapse_shape
func.func @negative_collapse(%x: memref<?x?x8xf32>) -> memref<?x8xf32> {
  %y = memref.collapse_shape %x [[0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
  return %y : memref<?x8xf32>
}
