// RUN: weft-opt %s | FileCheck %s
// CHECK: weft.parameter "w"

// RUN: weft-opt --help | FileCheck %s --check-prefix=HELP
// HELP: OVERVIEW: Weft's optimizer
// HELP: Available Dialects: {{.*}}check{{.*}}weft
// HELP: --debug-only=<string>

// --debug-only prints what Weft's own code says to LDBG(); an unknown type prints nothing.
// RUN: weft-opt %s --debug-only=no-such-type 2>&1 | FileCheck %s
func.func @weight() -> tensor<8xf32> {
  %w = weft.parameter "w" : tensor<8xf32>
  return %w : tensor<8xf32>
}
