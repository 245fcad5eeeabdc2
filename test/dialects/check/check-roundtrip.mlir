// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @tensors
// CHECK: check.expect_close %{{.*}}, %{{.*}} {relative_rms = 1.000000e-05 : f64} : tensor<?x8xf32>, tensor<2x8xf32>
// CHECK: check.expect_close %{{.*}}, %{{.*}} {max_ulp = 4 : i64, relative_rms = 1.000000e-05 : f64}
// CHECK: check.expect_eq %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<2x8xf32>
func.func @tensors(%actual: tensor<?x8xf32>, %expected: tensor<2x8xf32>) {
  check.expect_close %actual, %expected {relative_rms = 1.0e-5 : f64} : tensor<?x8xf32>, tensor<2x8xf32>
  check.expect_close %actual, %expected {relative_rms = 1.0e-5 : f64, max_ulp = 4 : i64} : tensor<?x8xf32>, tensor<2x8xf32>
  check.expect_eq %actual, %expected : tensor<?x8xf32>, tensor<2x8xf32>
  return
}

// CHECK-LABEL: @memrefs
// CHECK: check.expect_eq %{{.*}}, %{{.*}} : memref<4xi32>, memref<4xi32, strided<[2]>>
func.func @memrefs(%actual: memref<4xi32>, %expected: memref<4xi32, strided<[2]>>) {
  check.expect_eq %actual, %expected : memref<4xi32>, memref<4xi32, strided<[2]>>
  return
}
