// The loops over words of products in bf16 and in 8 bits, as machine code: one dot product for each accumulator and word,
// nothing spilled to the stack.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+avx512bf16 %t.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni,+avx512bf16 | FileCheck %s

// 9 rows × 3 vectors of 16 columns, four words in a turn.
// CHECK-LABEL: halves:
// CHECK: [[LOOP:\.LBB[0-9_]+]]: # =>This Inner Loop
// CHECK-NOT: {{%rsp|^\.LBB}}
// CHECK-COUNT-108: vdpbf16ps {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// CHECK-NOT: {{%rsp|^\.LBB|vdpbf16ps}}
// CHECK: j{{[a-z]+}} [[LOOP]]
// CHECK-NOT: vdpbf16ps
// CHECK: retq

// 8 rows × 3 vectors: the 128 that makes bytes unsigned takes a register.
// CHECK-LABEL: bytes:
// CHECK: vpdpbusd
// CHECK: [[LOOP:\.LBB[0-9_]+]]: #{{ *}}Parent Loop
// CHECK-NOT: {{Spill|Reload|^\.LBB}}
// CHECK-COUNT-96: vpdpbusd {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// CHECK-NOT: {{Spill|Reload|^\.LBB|vpdpbusd}}
// CHECK: j{{[a-z]+}} [[LOOP]]
// CHECK-NOT: vpdpbusd
// CHECK: retq
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @halves(%x: memref<9x768xbf16>, %w: memref<3x384x32xbf16>, %b: memref<48xf32>, %y: memref<9x48xf32>) {
  weft.packed_matmul ins(%x, %w, %b : memref<9x768xbf16>, memref<3x384x32xbf16>, memref<48xf32>)
                     outs(%y : memref<9x48xf32>)
  return
}
func.func @bytes(%x: memref<8x768xi8>, %s: memref<8xf32>, %w: memref<3x192x64xi8>, %t: memref<48xf32>, %y: memref<8x48xf32>) {
  weft.quantized_matmul ins(%x, %s, %w, %t : memref<8x768xi8>, memref<8xf32>, memref<3x192x64xi8>, memref<48xf32>)
                        outs(%y : memref<8x48xf32>)
  return
}
}
