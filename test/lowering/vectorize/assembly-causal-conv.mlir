// The loop over time of a convolution, as machine code: all in registers.
//
// RUN: sed -e 's/TARGET/isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = ""/' %s > %t.v4.mlir
// RUN: weft-opt %t.v4.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v4.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit %t.v4.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit | FileCheck %s --check-prefix=V4
// RUN: sed -e 's/TARGET/isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = ""/' %s > %t.v3.mlir
// RUN: weft-opt %t.v3.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v3.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 %t.v3.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 | FileCheck %s --check-prefix=V3

// A block of four steps: the five loads of taps and bias, seven of the input, 16 multiply-adds, four stores.
// V4-LABEL: conv:
// V4: [[LOOP:\.LBB[0-9_]+]]: # Parent Loop
// V4-NEXT: Parent Loop {{.*}} Depth=2
// V4-NEXT: This Inner Loop
// V4-NOT: {{%zmm[0-9]+, .*%rsp|^\.LBB}}
// V4-COUNT-16: vfmadd{{.*}}%zmm
// V4-NOT: {{%rsp|^\.LBB|vfmadd}}
// V4: j{{[a-z]+}} [[LOOP]]

// V3-LABEL: conv:
// V3: [[LOOP:\.LBB[0-9_]+]]: # Parent Loop
// V3-NEXT: Parent Loop {{.*}} Depth=2
// V3-NEXT: This Inner Loop
// V3-NOT: {{%ymm[0-9]+, .*%rsp|^\.LBB}}
// V3-COUNT-16: vfmadd{{.*}}%ymm
// V3-NOT: {{%rsp|^\.LBB|vfmadd}}
// V3: j{{[a-z]+}} [[LOOP]]
module attributes {weft.target = #weft.target<TARGET>} {
func.func @conv(%x: memref<1x?x1536xf32>, %w: memref<1536x4xf32>, %b: memref<1536xf32>, %y: memref<1x?x1536xf32>) {
  weft.causal_conv ins(%x, %w, %b : memref<1x?x1536xf32>, memref<1536x4xf32>, memref<1536xf32>) outs(%y : memref<1x?x1536xf32>)
  return
}
}
