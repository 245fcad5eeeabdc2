// RUN: weft-opt %s --weft-vectorize-combine | FileCheck %s

// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<?x144xf32>, %[[TOKENS:[a-z0-9]+]]: memref<?xi32>, %[[WEIGHTS:[a-z0-9]+]]: memref<?xf32>, %[[OUT:[a-z0-9]+]]: memref<?x144xf32,
// CHECK: %[[COUNT:.*]] = memref.dim %[[OUT]], %c0
// CHECK: scf.for %[[I:.*]] =
// CHECK: memref.load %[[TOKENS]][%[[I]]]
// CHECK: %[[TOKEN:.*]] = arith.index_cast
// CHECK: %[[IS:.*]] = arith.cmpi ult, %[[TOKEN]], %[[COUNT]]
// CHECK: scf.if %[[IS]] {
// CHECK: memref.load %[[WEIGHTS]][%[[I]]]
// CHECK: scf.for %[[C:.*]] =
// CHECK-DAG: vector.load %[[OUT]][%[[TOKEN]], %[[C]]]
// CHECK-DAG: vector.load %[[Y]][%[[I]], %[[C]]]
// CHECK: vector.fma
// CHECK: vector.store %{{.*}}, %[[OUT]][%[[TOKEN]], %[[C]]]
// CHECK: vector.maskedstore
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @rows(%rows: memref<?x144xf32>, %tokens: memref<?xi32>, %weights: memref<?xf32>, %out: memref<?x144xf32, strided<[1024, 1], offset: ?>>) {
  weft.combine ins(%rows, %tokens, %weights : memref<?x144xf32>, memref<?xi32>, memref<?xf32>)
               outs(%out : memref<?x144xf32, strided<[1024, 1], offset: ?>>)
  return
}
}
