// The loop over k of 2 × 2 tiles, as machine code: eight tiles, none moved to the stack, configured once.
//
// RUN: weft-opt %s --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+amx-tile,+amx-int8,+amx-bf16,+avx512vnni,+avx512bf16 %t.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+amx-tile,+amx-int8,+amx-bf16,+avx512vnni,+avx512bf16 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=ONCE < %t.s
// RUN: grep -c ldtilecfg %t.s | FileCheck %s --check-prefix=CONFIGURED

// The first of eight parts of a sum, then the loop over the next ones: 8 steps each, between loading and storing sums.
// CHECK-LABEL: integers:
// CHECK-COUNT-4: tilezero
// CHECK-NOT: {{tilestored|vmov|^\.LBB}}
// CHECK-COUNT-32: tdpbssd
// CHECK-NOT: {{vmov|^\.LBB}}
// CHECK-COUNT-4: tilestored
// CHECK: .LBB
// CHECK-NOT: {{tilestored|vmov|^\.LBB}}
// CHECK-COUNT-32: tdpbssd
// CHECK-COUNT-4: tilestored
// CHECK-NOT: tile
// CHECK: j{{[a-z]+}} .LBB
// CHECK-LABEL: halves:
// CHECK: vcvtneps2bf16
// CHECK-COUNT-4: tilezero
// CHECK-COUNT-32: tdpbf16ps
// CHECK-COUNT-4: tilestored
// CHECK: ret

// Three places store sums in either function, and no other.
// ONCE-COUNT-24: tilestored
// ONCE-NOT: tilestored
// CONFIGURED: 2
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @integers(%x: memref<32x4096xi8>, %xs: memref<32xf32>, %w: memref<2x1024x64xi8>, %ws: memref<32xf32>, %y: memref<32x32xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x4096xi8>, memref<32xf32>, memref<2x1024x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
  return
}
func.func @halves(%x: memref<32x2048xf32>, %w: memref<2x1024x32xbf16>, %y: memref<32x32xf32>) {
  weft.packed_matmul ins(%x, %w : memref<32x2048xf32>, memref<2x1024x32xbf16>) outs(%y : memref<32x32xf32>)
  return
}
}
