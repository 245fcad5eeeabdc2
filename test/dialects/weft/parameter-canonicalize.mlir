// RUN: weft-opt %s --canonicalize | FileCheck %s

// A weight that nobody uses is not loaded.
// CHECK-LABEL: @unused
// CHECK-NOT: weft.parameter
func.func @unused() {
  %w = weft.parameter "w" : tensor<8xf32>
  return
}
