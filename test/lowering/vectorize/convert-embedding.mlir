// RUN: weft-opt %s --weft-convert-embedding --canonicalize | FileCheck %s

// CHECK-LABEL: @rows
// CHECK-SAME: (%[[IDS:.*]]: memref<?x?xi32>, %[[TABLE:.*]]: memref<10x4xf32>, %[[INIT:.*]]: memref<?x?x4xf32>)
// CHECK: scf.for %[[B:.*]] =
// CHECK: scf.for %[[S:.*]] =
// CHECK: %[[ID:.*]] = memref.load %[[IDS]][%[[B]], %[[S]]]
// CHECK: %[[ROW:.*]] = arith.index_cast %[[ID]] : i32 to index
// CHECK: %[[FROM:.*]] = memref.subview %[[TABLE]][%[[ROW]], 0] [1, 4] [1, 1]
// CHECK: %[[TO:.*]] = memref.subview %[[INIT]][%[[B]], %[[S]], 0] [1, 1, 4] [1, 1, 1]
// CHECK: linalg.generic {{.*}} ins(%[[FROM]] : memref<4xf32, {{.*}}>) outs(%[[TO]] : memref<4xf32, {{.*}}>)
// CHECK-NOT: weft.embedding
func.func @rows(%ids: memref<?x?xi32>, %table: memref<10x4xf32>, %init: memref<?x?x4xf32>) {
  weft.embedding ins(%ids, %table : memref<?x?xi32>, memref<10x4xf32>) outs(%init : memref<?x?x4xf32>)
  return
}

// An index is used as it is; one id needs no loop.
// CHECK-LABEL: @row_of_index
// CHECK-NOT: arith.index_cast
// CHECK: linalg.generic
func.func @row_of_index(%ids: memref<1xindex>, %table: memref<10x4xf32>, %init: memref<1x4xf32>) {
  weft.embedding ins(%ids, %table : memref<1xindex>, memref<10x4xf32>) outs(%init : memref<1x4xf32>)
  return
}

// A row of a table in panels is a column of a panel: its elements lie a panel's width apart.
// CHECK-LABEL: @panels
// CHECK: %[[PANEL:.*]] = arith.divui %{{.*}}, %c16
// CHECK: %[[PLACE:.*]] = arith.remui %{{.*}}, %c16
// CHECK: memref.subview %{{.*}}[%[[PANEL]], 0, %[[PLACE]]] [1, 8, 1] [1, 1, 1] : memref<2x8x16xf32> to memref<8xf32, strided<[16], offset: ?>>
func.func @panels(%ids: memref<?xi64>, %table: memref<2x8x16xf32>, %out: memref<?x8xf32>) {
  weft.embedding ins(%ids, %table : memref<?xi64>, memref<2x8x16xf32>) outs(%out : memref<?x8xf32>)
  return
}
