// RUN: not weft-run %s --target portable | FileCheck %s --match-full-lines --strict-whitespace
// RUN: sh -c 'weft-run %s >/dev/null; test $? = 3'

// What is printed of expectations that are not met.
//      CHECK:FAIL portable @wrong check.0: relative RMS 1.00e+00, at most 1.00e-01
// CHECK-NEXT:FAIL portable @wrong check.1: relative RMS 0.00e+00, at most 1.00e-01; 1 elements differ in kind or by too many ulps
// CHECK-NEXT:FAIL portable @wrong check.2: 2 elements differ
// CHECK-NEXT:ok   portable @wrong check.3: 0 elements differ
// CHECK-NEXT:ok   portable @wrong check.4: relative RMS 1.00e+00, at most 2.00e+00
func.func @wrong() attributes {weft.entry} {
  %x = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %y = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %nan = arith.constant dense<[0x7FC00000, 2.0]> : tensor<2xf32>
  check.expect_close %x, %y {relative_rms = 0.1 : f64} : tensor<2xf32>, tensor<2xf32>
  check.expect_close %nan, %y {relative_rms = 0.1 : f64} : tensor<2xf32>, tensor<2xf32>
  check.expect_eq %x, %y : tensor<2xf32>, tensor<2xf32>
  check.expect_eq %nan, %nan : tensor<2xf32>, tensor<2xf32>
  check.expect_close %x, %y {relative_rms = 2.0 : f64} : tensor<2xf32>, tensor<2xf32>
  return
}
