// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: check.expect_close %{{.*}}, %{{.*}} {relative_rms = 1.000000e-05 : f64} : tensor<?x8xf32>, tensor<2x8xf32>
// CHECK: check.expect_close %{{.*}}, %{{.*}} {max_ulp = 4 : i64, relative_rms = 1.000000e-05 : f64}
func.func @tensors(%y: tensor<?x8xf32>, %expected: tensor<2x8xf32>) {
  check.expect_close %y, %expected {relative_rms = 1.0e-5 : f64} : tensor<?x8xf32>, tensor<2x8xf32>
  check.expect_close %y, %expected {relative_rms = 1.0e-5 : f64, max_ulp = 4 : i64} : tensor<?x8xf32>, tensor<2x8xf32>
  return
}

// CHECK-LABEL: @bits
// CHECK: check.expect_eq %{{.*}}, %{{.*}} : tensor<?xi32>, tensor<4xi32>
func.func @bits(%y: tensor<?xi32>, %expected: tensor<4xi32>) {
  check.expect_eq %y, %expected : tensor<?xi32>, tensor<4xi32>
  return
}

// CHECK-LABEL: @memrefs
// CHECK: check.expect_eq %{{.*}}, %{{.*}} : memref<4xi32>, memref<4xi32, strided<[2]>>
func.func @memrefs(%actual: memref<4xi32>, %expected: memref<4xi32, strided<[2]>>) {
  check.expect_eq %actual, %expected : memref<4xi32>, memref<4xi32, strided<[2]>>
  return
}
