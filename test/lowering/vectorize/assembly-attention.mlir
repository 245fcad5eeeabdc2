// Attention as machine code: no library is called.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 %t.ll | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=NOCALL < %t.s

// K · Qᵀ: tiles of 4 keys × 2 vectors of queries, all 8 steps of the head dimension in turns of four.
// CHECK-LABEL: attention:
// CHECK-COUNT-32: vfmadd{{[0-9]+}}ps {{.*}}%ymm
// Vᵀ · P after it.
// CHECK: vfmadd{{[0-9]+}}ps {{.*}}%ymm
// CHECK: retq

// NOCALL-NOT: call
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @attention(%q: memref<1x?x2x8xf32>, %k: memref<1x?x2x8xf32>, %o: memref<1x?x2x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x?x2x8xf32>, memref<1x?x2x8xf32>, memref<1x?x2x8xf32>) outs(%o : memref<1x?x2x8xf32>)
  return
}
}
