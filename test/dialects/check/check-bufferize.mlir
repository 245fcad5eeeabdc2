// RUN: weft-opt %s --one-shot-bufferize=bufferize-function-boundaries | FileCheck %s

// CHECK-LABEL: @expectations_read
// CHECK-SAME: (%[[A:.*]]: memref<4xf32{{.*}}>, %[[E:.*]]: memref<4xf32{{.*}}>)
// CHECK-NEXT: check.expect_close %[[A]], %[[E]]
// CHECK-NEXT: check.expect_eq %[[A]], %[[E]]
func.func @expectations_read(%actual: tensor<4xf32>, %expected: tensor<4xf32>) {
  check.expect_close %actual, %expected {relative_rms = 0.0 : f64} : tensor<4xf32>, tensor<4xf32>
  check.expect_eq %actual, %expected : tensor<4xf32>, tensor<4xf32>
  return
}
