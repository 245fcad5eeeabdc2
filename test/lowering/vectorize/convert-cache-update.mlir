// RUN: weft-opt %s --weft-convert-cache-update --canonicalize | FileCheck %s

// The slot of one token is written, and nothing else of the cache.
// CHECK-LABEL: @token
// CHECK-SAME: (%[[K:.*]]: memref<1x1x4x16xf32>, %[[P:.*]]: memref<1x1xi64>, %[[C:.*]]: memref<1x?x4x16xf32>)
// CHECK: %[[SLOTS:.*]] = memref.dim %[[C]], %c1
// CHECK: %[[VALUE:.*]] = memref.load %[[P]][%c0, %c0]
// CHECK: %[[SLOT:.*]] = arith.index_cast %[[VALUE]] : i64 to index
// CHECK: %[[IN:.*]] = arith.cmpi ult, %[[SLOT]], %[[SLOTS]]
// CHECK: scf.if %[[IN]]
// CHECK: %[[FROM:.*]] = memref.subview %[[K]][0, 0, 0, 0] [1, 1, 4, 16] [1, 1, 1, 1]
// CHECK: %[[TO:.*]] = memref.subview %[[C]][0, %[[SLOT]], 0, 0] [1, 1, 4, 16] [1, 1, 1, 1]
// CHECK: linalg.generic {{.*}} ins(%[[FROM]] : memref<4x16xf32, {{.*}}>) outs(%[[TO]] : memref<4x16xf32, {{.*}}>)
// CHECK-NOT: memref.copy
// CHECK-NOT: weft.cache_update
func.func @token(%k: memref<1x1x4x16xf32>, %p: memref<1x1xi64>, %c: memref<1x?x4x16xf32>) {
  weft.cache_update {dimension = 1 : i64} ins(%k, %p : memref<1x1x4x16xf32>, memref<1x1xi64>) outs(%c : memref<1x?x4x16xf32>)
  return
}

// Rows come in order, so that of two with one slot the later stays. A negative position has no slot in a ring either.
// CHECK-LABEL: @ring
// CHECK: scf.for %[[T:.*]] = %c0 to %c5 step %c1
// CHECK: %[[POSITION:.*]] = memref.load %{{.*}}[%c0, %[[T]]]
// CHECK: %[[IN:.*]] = arith.cmpi sge, %[[POSITION]], %c0
// CHECK: %[[SLOT:.*]] = arith.remui %[[POSITION]], %c8
// CHECK: scf.if %[[IN]]
// CHECK: memref.subview %{{.*}}[0, 0, %[[T]]] [1, 2, 1] [1, 1, 1]
// CHECK: memref.subview %{{.*}}[0, 0, %[[SLOT]]] [1, 2, 1] [1, 1, 1]
func.func @ring(%k: memref<1x2x5xf32>, %p: memref<1x5xindex>, %c: memref<1x2x8xf32>) {
  weft.cache_update {dimension = 2 : i64, ring} ins(%k, %p : memref<1x2x5xf32>, memref<1x5xindex>) outs(%c : memref<1x2x8xf32>)
  return
}

// The example of Passes.td.
// CHECK-LABEL: @rows
// CHECK: scf.for
// CHECK: scf.if
// CHECK: linalg.generic
func.func @rows(%rows: memref<1x?x4x16xf32>, %positions: memref<1x?xi64>, %cache: memref<1x?x4x16xf32>) {
  weft.cache_update {dimension = 1 : i64} ins(%rows, %positions : memref<1x?x4x16xf32>, memref<1x?xi64>)
                    outs(%cache : memref<1x?x4x16xf32>)
  return
}

// A row of one number.
// CHECK-LABEL: @scalar
// CHECK: scf.if
// CHECK: %[[X:.*]] = memref.load
// CHECK: memref.store %[[X]]
func.func @scalar(%k: memref<1x1xf32>, %p: memref<1x1xi32>, %c: memref<1x8xf32>) {
  weft.cache_update {dimension = 1 : i64} ins(%k, %p : memref<1x1xf32>, memref<1x1xi32>) outs(%c : memref<1x8xf32>)
  return
}

// Into the slot of the page that the table names, if it names one: position 21 is slot 5 of the page of block 1.
// CHECK-LABEL: @pages
// CHECK-SAME: (%[[K:.*]]: memref<2x1x4x16xf32>, %[[P:.*]]: memref<2x1xi64>, %[[T:.*]]: memref<2x?xi64>, %[[C:.*]]: memref<?x16x4x16xf32>)
// CHECK: scf.for %[[B:.*]] = %c0 to %c2 step %c1
// CHECK: %[[VALUE:.*]] = memref.load %[[P]][%[[B]], %c0]
// CHECK: %[[POSITION:.*]] = arith.index_cast %[[VALUE]] : i64 to index
// CHECK: %[[COLUMN:.*]] = arith.divui %[[POSITION]], %c16
// CHECK: %[[COLUMNS:.*]] = memref.dim %[[T]], %c1
// CHECK: %[[LISTED:.*]] = arith.cmpi ult, %[[COLUMN]], %[[COLUMNS]]
// CHECK: scf.if %[[LISTED]]
// CHECK: %[[ENTRY:.*]] = memref.load %[[T]][%[[B]], %[[COLUMN]]]
// CHECK: %[[PAGE:.*]] = arith.index_cast %[[ENTRY]] : i64 to index
// CHECK: %[[PAGES:.*]] = memref.dim %[[C]], %c0
// CHECK: %[[EXISTS:.*]] = arith.cmpi ult, %[[PAGE]], %[[PAGES]]
// CHECK: scf.if %[[EXISTS]]
// CHECK: %[[SLOT:.*]] = arith.remui %[[POSITION]], %c16
// CHECK: memref.subview %[[C]][%[[PAGE]], %[[SLOT]], 0, 0] [1, 1, 4, 16] [1, 1, 1, 1]
func.func @pages(%k: memref<2x1x4x16xf32>, %p: memref<2x1xi64>, %t: memref<2x?xi64>, %c: memref<?x16x4x16xf32>) {
  weft.cache_update {dimension = 1 : i64} ins(%k, %p : memref<2x1x4x16xf32>, memref<2x1xi64>) table(%t : memref<2x?xi64>) outs(%c : memref<?x16x4x16xf32>)
  return
}
