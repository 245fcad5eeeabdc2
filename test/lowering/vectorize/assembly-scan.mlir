// The loop over time of a scan, as machine code: eight chains in registers, nothing spilled and nothing called.
//
// RUN: sed -e 's/TARGET/isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = ""/' -e s/LANES/1280/g %s > %t.v4.mlir
// RUN: weft-opt %t.v4.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v4.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit %t.v4.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit | FileCheck %s --check-prefix=V4
// RUN: sed -e 's/TARGET/isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = ""/' -e s/LANES/640/g %s > %t.v3.mlir
// RUN: weft-opt %t.v3.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v3.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 %t.v3.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 | FileCheck %s --check-prefix=V3

// V4-LABEL: sums_items:
// V4: This Inner Loop
// V4-NOT: {{%rsp|^\.LBB|call}}
// V4-COUNT-8: vaddps {{.*}}%zmm
// V4-NOT: {{%rsp|^\.LBB|call}}
// V4: j{{[a-z]+}} .LBB

// V3-LABEL: sums_items:
// V3: This Inner Loop
// V3-NOT: {{%rsp|^\.LBB|call}}
// V3-COUNT-8: vaddps {{.*}}%ymm
// V3-NOT: {{%rsp|^\.LBB|call}}
// V3: j{{[a-z]+}} .LBB
module attributes {weft.target = #weft.target<TARGET>} {
func.func private @sums(%x: memref<?xLANESxf32>, %y: memref<?xLANESxf32>) attributes {weft.kernel = "scan"} {
  weft.scan {dimension = 0 : i64, indexing_maps = [affine_map<(t, d) -> (t, d)>]}
    ins(%x : memref<?xLANESxf32>) outs(%y : memref<?xLANESxf32>)
    combine {
    ^bb0(%a: f32, %b: f32):
      %sum = arith.addf %a, %b : f32
      weft.yield %sum : f32
    }
  return
}
}
