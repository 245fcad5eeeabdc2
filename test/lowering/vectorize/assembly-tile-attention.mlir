// Attention with products on tiles, as machine code: two by two tiles of sums and two of either operand are the eight
// registers, none is spilled, and the tiles' shapes are set once.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512bf16,+amx-tile,+amx-int8,+amx-bf16 %t.ll | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512bf16,+amx-tile,+amx-int8,+amx-bf16 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=ONCE < %t.s

// CHECK-LABEL: attention:
// K · Qᵀ: head dimension 64 is two steps.
// CHECK: tilezero
// CHECK-COUNT-4: tileloadd
// CHECK-COUNT-4: tdpbf16ps
// CHECK-COUNT-4: tileloadd
// CHECK-COUNT-4: tdpbf16ps
// CHECK-COUNT-4: tilestored
// The exponential of 32 queries and two keys, rounded to pairs of bf16, without a shuffle.
// CHECK: vreduceps
// CHECK: vscalefps
// CHECK-NOT: vpermt2w
// Vᵀ · P from what Oᵀ holds.
// CHECK: tileloadd
// CHECK: tdpbf16ps
// CHECK: tilestored
// CHECK: retq

// ONCE: ldtilecfg
// ONCE-NOT: ldtilecfg
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @attention(%q: memref<1x?x2x64xbf16>, %k: memref<1x?x2x64xbf16>, %o: memref<1x?x2x64xbf16>) {
  weft.attention {scale = 0.125 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x2x64xbf16>, memref<1x?x2x64xbf16>, memref<1x?x2x64xbf16>) outs(%o : memref<1x?x2x64xbf16>)
  return
}
}
