// RUN: not weft-run %s --target portable | FileCheck %s

// What a check that is not met looks like.
// CHECK: FAIL {{.*}}@check_unmet
func.func @check_unmet() attributes {weft.entry} {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  check.expect_close %x, %y {relative_rms = 1.0e-6 : f64} : tensor<2xf32>, tensor<2xf32>
  return
}
