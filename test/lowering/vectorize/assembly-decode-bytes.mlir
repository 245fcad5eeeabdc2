// Decoding from 8 bits, as machine code: tiles of keys where they lie, interleaved values, tiles of them; configured
// once, and nothing that tiles or sums need is moved to the stack.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+amx-tile,+amx-int8 %t.ll | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+amx-tile,+amx-int8 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=ONCE < %t.s

// CHECK-LABEL: attention:
// Sixteen keys: their two steps of 64 bytes, read in place, and the next block's lines meanwhile.
// CHECK: prefetcht1
// CHECK: tileloadd
// CHECK: tdpbssd
// CHECK: tdpbssd
// CHECK-NOT: tdpbssd
// CHECK: tilestored
// CHECK-NOT: {{(z|t)mm.*Spill}}
// Four keys' values of 64 bytes as words: eight shuffles, four loads, four stores.
// CHECK: vpunpcklbw
// CHECK-COUNT-2: {{vpunpcklwd|vpunpckhwd}}
// CHECK: vpunpckhbw
// CHECK-COUNT-2: {{vpunpcklwd|vpunpckhwd}}
// The digits of four numbers in a quarter of a vector.
// CHECK: vpshufb {{.*}}%zmm
// Eight tiles of sixteen e in pairs, and the sums of three digits.
// CHECK-COUNT-8: tdpbssd
// CHECK-NOT: {{tdpbssd|(z|t)mm.*Spill}}
// CHECK-COUNT-12: vcvtdq2ps {{.*}}%zmm
// CHECK: retq

// ONCE: ldtilecfg
// ONCE-NOT: ldtilecfg
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#f = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @attention(%q: memref<1x4x1x128xf32>, %k: memref<1x1x?x128xi8>, %v: memref<1x1x?x128xi8>, %ks: memref<1x1x?xf32>, %vs: memref<1x1x?xf32>, %o: memref<1x4x1x128xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #f, #f, #o]}
    ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x1x?x128xi8>, memref<1x1x?x128xi8>)
    key_scale(%ks : memref<1x1x?xf32>) value_scale(%vs : memref<1x1x?xf32>) outs(%o : memref<1x4x1x128xf32>)
  return
}
}
