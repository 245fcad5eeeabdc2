// RUN: weft-opt %s --weft-normalize-check --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @equal
// CHECK-SAME: -> (tensor<4xi32> {weft.name = "y"},
// CHECK-SAME:     tensor<1xi64> {weft.check = {}, weft.name = "check.0.mismatches"})
// CHECK: %[[COUNT:.+]] = linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "reduction"]
// CHECK: arith.cmpi ne
// CHECK: arith.extui {{.*}} : i1 to i64
// CHECK: return %{{.+}}, %[[COUNT]] : tensor<4xi32>, tensor<1xi64>
func.func @equal() -> (tensor<4xi32> {weft.name = "y"}) attributes {weft.entry} {
  %y = arith.constant dense<1> : tensor<4xi32>
  %z = arith.constant dense<2> : tensor<4xi32>
  check.expect_eq %y, %z : tensor<4xi32>, tensor<4xi32>
  return %y : tensor<4xi32>
}

// Floats are compared by their bits: NaN is equal to itself, -0 is not 0.
// CHECK-LABEL: func.func @equal_floats
// CHECK-COUNT-2: arith.bitcast {{.*}} : f32 to i32
// CHECK: arith.cmpi ne
func.func @equal_floats() attributes {weft.entry} {
  %y = arith.constant dense<0x7fc00000> : tensor<2x3xf32>
  check.expect_eq %y, %y : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// CHECK-LABEL: func.func @close
// CHECK-SAME: tensor<1xf64> {weft.check = {relative_rms = 1.000000e-05 : f64}, weft.name = "check.0.error"}
// CHECK-SAME: tensor<1xf64> {weft.check = {relative_rms = 1.000000e-05 : f64}, weft.name = "check.0.size"}
// CHECK-SAME: tensor<1xi64> {weft.check = {relative_rms = 1.000000e-05 : f64}, weft.name = "check.0.mismatches"}
// CHECK-SAME: weft.name = "check.1.error"
// CHECK-COUNT-2: arith.extf {{.*}} : f32 to f64
// CHECK: arith.subf {{.*}} : f64
// CHECK-NOT: check.expect
func.func @close() attributes {weft.entry} {
  %y = arith.constant dense<1.0> : tensor<2x3xf32>
  %z = arith.constant dense<2.0> : tensor<2x3xf32>
  check.expect_close %y, %z {relative_rms = 1.0e-5 : f64} : tensor<2x3xf32>, tensor<2x3xf32>
  check.expect_close %y, %z {relative_rms = 1.0 : f64, max_ulp = 3 : i64} : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @nobody_calls() {
  %y = arith.constant dense<1> : tensor<4xi32>
  // expected-error@+1 {{is in a function that nobody calls: mark it with weft.entry}}
  check.expect_eq %y, %y : tensor<4xi32>, tensor<4xi32>
  return
}

// -----

func.func @inner(%count: index) attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %y = arith.constant dense<1> : tensor<4xi32>
  scf.for %i = %zero to %count step %one {
    // expected-error@+1 {{must stand in the function's own block}}
    check.expect_eq %y, %y : tensor<4xi32>, tensor<4xi32>
  }
  return
}

// -----

func.func @memory(%y: memref<4xi32>) attributes {weft.entry} {
  // expected-error@+1 {{of memrefs cannot be run: compare tensors}}
  check.expect_eq %y, %y : memref<4xi32>, memref<4xi32>
  return
}
