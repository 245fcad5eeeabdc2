// The loop over k of 2 × 2 tiles, as machine code: eight tiles, none moved to the stack, configured once.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+amx-tile,+amx-int8,+amx-bf16,+avx512vnni,+avx512bf16 %t.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+amx-tile,+amx-int8,+amx-bf16,+avx512vnni,+avx512bf16 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=ONCE < %t.s
// RUN: grep -c ldtilecfg %t.s | FileCheck %s --check-prefix=CONFIGURED

// The first of eight parts of a sum, of rows in place and of packed ones: 8 steps between zeroing and storing sums.
// CHECK-LABEL: integers:
// CHECK-COUNT-4: tilezero
// CHECK-NOT: {{tilestored|vmov|^\.LBB}}
// CHECK-COUNT-32: tdpbssd
// CHECK-COUNT-4: tilestored
// CHECK-COUNT-4: tilezero
// CHECK-NOT: {{tilestored|vmov|^\.LBB}}
// CHECK-COUNT-32: tdpbssd
// CHECK-COUNT-4: tilestored
// Then the loop over the next ones, which loads the sums.
// CHECK-LABEL: halves:
// CHECK: vcvtneps2bf16
// CHECK-COUNT-4: tilezero
// CHECK-COUNT-32: tdpbf16ps
// CHECK-NOT: {{vmov|^\.LBB}}
// CHECK-COUNT-4: tilestored
// CHECK: {{^}}.LBB
// CHECK-NOT: {{tilestored|vmov|^\.LBB}}
// CHECK-COUNT-32: tdpbf16ps
// CHECK-COUNT-4: tilestored
// CHECK-NOT: tile
// CHECK: j{{[a-z]+}} .LBB
// CHECK: ret

// A short sum whose rows are loaded where they are: in a step four tiles, and two rows of the results before.
// CHECK-LABEL: rows:
// CHECK-COUNT-4: tilezero
// CHECK: .LBB{{[0-9_]+}}: # in Loop
// CHECK-NOT: {{rsp|vmov|tilestored}}
// CHECK-COUNT-4: tileloadd
// CHECK-NOT: {{rsp|vmov|tilestored}}
// CHECK-COUNT-4: tdpbf16ps
// CHECK-NOT: {{rsp|vmov|tile}}
// CHECK: vcvtneps2bf16
// CHECK-NOT: {{rsp|tile}}
// CHECK-COUNT-3: vcvtneps2bf16
// CHECK-NOT: {{rsp|tile}}
// CHECK: jmp .LBB
// CHECK-COUNT-4: tilestored
// CHECK-LABEL: .Lfunc_end2:

// Three places store sums of rows in place or packed, and no other; one where sums are whole.
// ONCE-COUNT-44: tilestored
// ONCE-NOT: tilestored
// CONFIGURED: 3
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @integers(%x: memref<32x4096xi8>, %xs: memref<32xf32>, %w: memref<2x1024x64xi8>, %ws: memref<32xf32>, %y: memref<32x32xf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<32x4096xi8>, memref<32xf32>, memref<2x1024x64xi8>, memref<32xf32>) outs(%y : memref<32x32xf32>)
  return
}
func.func @halves(%x: memref<32x2048xf32>, %w: memref<2x1024x32xbf16>, %y: memref<32x32xf32>) {
  weft.packed_matmul ins(%x, %w : memref<32x2048xf32>, memref<2x1024x32xbf16>) outs(%y : memref<32x32xf32>)
  return
}
func.func @rows(%x: memref<64x384xbf16>, %w: memref<4x192x32xbf16>, %y: memref<64x64xbf16>) {
  %t = memref.alloc() : memref<64x64xf32>
  weft.packed_matmul ins(%x, %w : memref<64x384xbf16>, memref<4x192x32xbf16>) outs(%t : memref<64x64xf32>)
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%t : memref<64x64xf32>) outs(%y : memref<64x64xbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %r = arith.truncf %a : f32 to bf16
    linalg.yield %r : bf16
  }
  memref.dealloc %t : memref<64x64xf32>
  return
}
}
