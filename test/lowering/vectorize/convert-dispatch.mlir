// RUN: weft-opt %s --split-input-file --weft-convert-dispatch | FileCheck %s

// Experts are compared with their number before they are an index; a group's next row is its cursor.
// CHECK-LABEL: func.func @sorted(
// CHECK-SAME: %[[EXPERTS:[a-z0-9]+]]: memref<?x2xi32>, %[[WEIGHTS:[a-z0-9]+]]: memref<?x2xf32>, %[[TOKENS:[a-z0-9]+]]: memref<?xi32>, %[[SORTED:[a-z0-9]+]]: memref<?xf32>, %[[OFFSETS:[a-z0-9]+]]: memref<9xi32>
// CHECK: %[[CURSORS:.*]] = memref.alloca() : memref<8xi32>
// CHECK: memref.store %{{.*}}, %[[OFFSETS]]
// CHECK: memref.load %[[EXPERTS]]
// CHECK: %[[IS:.*]] = arith.cmpi ult, %[[E:.*]], %c8
// CHECK: scf.if %[[IS]] {
// CHECK: memref.store %{{.*}}, %[[OFFSETS]]
// CHECK: memref.store %{{.*}}, %[[CURSORS]]
// CHECK: scf.if %{{.*}} {
// CHECK: %[[ROW:.*]] = memref.load %[[CURSORS]]
// CHECK: memref.store %{{.*}}, %[[TOKENS]]
// CHECK: memref.store %{{.*}}, %[[SORTED]]
// The rest of the rows is no token's.
// CHECK: memref.store %c-1_i32, %[[TOKENS]]
// CHECK-NOT: arith.minsi
func.func @sorted(%e: memref<?x2xi32>, %w: memref<?x2xf32>, %tokens: memref<?xi32>, %sorted: memref<?xf32>, %offsets: memref<9xi32>) {
  weft.dispatch ins(%e, %w : memref<?x2xi32>, memref<?x2xf32>)
                outs(%tokens, %sorted, %offsets : memref<?xi32>, memref<?xf32>, memref<9xi32>)
  return
}

// -----

// CHECK-LABEL: func.func @capacity(
// CHECK: arith.minsi %{{.*}}, %c3_i32
// CHECK: %[[FITS:.*]] = arith.cmpi slt
// CHECK: scf.if %[[FITS]] {
func.func @capacity(%experts: memref<?x1xi32>, %weights: memref<?x1xf32>, %tokens: memref<?xi32>, %sorted: memref<?xf32>, %offsets: memref<5xi32>) {
  weft.dispatch {capacity = 3 : i64} ins(%experts, %weights : memref<?x1xi32>, memref<?x1xf32>)
      outs(%tokens, %sorted, %offsets : memref<?xi32>, memref<?xf32>, memref<5xi32>)
  return
}
