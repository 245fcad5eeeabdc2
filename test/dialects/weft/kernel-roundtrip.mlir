// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @copy
// CHECK: weft.kernel "copy"(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<?x8xf32>, %[[OUT:.*]]: tensor<?x8xf32>):
// CHECK-NEXT: %[[COPY:.*]] = linalg.copy ins(%[[A]] : {{.*}}) outs(%[[OUT]] : {{.*}})
// CHECK-NEXT: weft.yield %[[COPY]] : tensor<?x8xf32>
func.func @copy(%x: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = weft.kernel "copy"(%x, %init : tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32> {
  ^bb0(%a: tensor<?x8xf32>, %out: tensor<?x8xf32>):
    %copy = linalg.copy ins(%a : tensor<?x8xf32>) outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32>
    weft.yield %copy : tensor<?x8xf32>
  }
  return %r : tensor<?x8xf32>
}

// CHECK-LABEL: @nothing
// CHECK: weft.kernel "nothing"() {
func.func @nothing() {
  weft.kernel "nothing"() {
  }
  return
}
