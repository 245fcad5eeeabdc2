// Attention in bf16 without tiles, as machine code: sums of eight rows times two vectors stay in registers, a word of a
// row is a broadcast from memory, and the words of the queries, or of the weights, are loaded once for all eight rows.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+avx512bf16 %t.ll | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+avx512bf16 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: grep -c vdpbf16ps %t.s | FileCheck %s --check-prefix=COUNT
// RUN: sed -n '/vbroadcastss/,/jb/p' %t.s | sed -n '/vdpbf16ps/,/jb/p' | sed '/jb/q' | FileCheck %s --check-prefix=LOOP --implicit-check-not=rsp --implicit-check-not=vdpbf16ps

// CHECK-LABEL: attention:
// K · Qᵀ of two tiles of keys; then the exponential of 32 queries and two keys, rounded to pairs of bf16, without a
// shuffle; then Vᵀ · P from what Oᵀ holds, two tiles of it.
// CHECK-COUNT-128: vdpbf16ps
// CHECK: vreduceps
// CHECK: vscalefps
// CHECK-NOT: vpermt2w
// CHECK-COUNT-128: vdpbf16ps
// CHECK: retq

// Four loops, each of four words: nothing is spilled in one.
// COUNT: {{^}}256{{$}}
// LOOP-COUNT-64: vdpbf16ps
// LOOP: jb
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @attention(%q: memref<1x?x2x64xbf16>, %k: memref<1x?x2x64xbf16>, %o: memref<1x?x2x64xbf16>) {
  weft.attention {scale = 0.125 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x2x64xbf16>, memref<1x?x2x64xbf16>, memref<1x?x2x64xbf16>) outs(%o : memref<1x?x2x64xbf16>)
  return
}
}
