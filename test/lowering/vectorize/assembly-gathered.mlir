// The loop over k of a product whose rows are read where they are, as machine code: nine rows have nine addresses, and
// neither these nor a vector leave the registers.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit %t.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=COUNT < %t.s

// CHECK-LABEL: product:
// CHECK: {{^}}.LBB0_1:
// CHECK-NOT: {{rsp|^\.LBB}}
// CHECK: j{{[a-z]+}} .LBB0_1

// Four steps of k.
// COUNT-LABEL: product:
// COUNT-COUNT-36: vbroadcastss {{[0-9]*}}(%{{[a-z0-9]+}},%{{[a-z0-9]+}},4), %zmm
// COUNT-NOT: vbroadcastss
// COUNT: j{{[a-z]+}} .LBB0_1
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @product(%x: memref<100x1024xf32>, %w: memref<3x1024x16xf32>, %rows: memref<9xi32>, %y: memref<9x48xf32>) {
  weft.packed_matmul ins(%x, %w : memref<100x1024xf32>, memref<3x1024x16xf32>) rows(%rows : memref<9xi32>) outs(%y : memref<9x48xf32>)
  return
}
}
