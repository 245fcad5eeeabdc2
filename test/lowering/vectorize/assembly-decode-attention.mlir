// Decode attention as machine code. Keys of 256 bytes: 4 rows × 4 keys × 4 vectors of the head dimension are 64
// multiply-adds in an iteration, whose accumulators stay in registers; 15 additions bring their lanes together. Keys of
// 512 bytes are read one after the other: 4 rows × 4 vectors in an iteration, three additions a key.
//
// RUN: weft-opt %s --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 %t.ll | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 > %t.s
// RUN: FileCheck %s < %t.s
// RUN: FileCheck %s --check-prefix=REGISTERS < %t.s

// REGISTERS-NOT: callq {{[^m]}}
// REGISTERS-LABEL: halves:
// REGISTERS-NOT: zmm{{.*}}Spill
// REGISTERS-NOT: callq {{[^m]}}

// CHECK-LABEL: attention:
// CHECK-COUNT-16: vfmadd231ps {{[0-9]+}}(%rsp,{{.*}}), %zmm
// CHECK-NOT: vfmadd
// CHECK: je
// CHECK-COUNT-3: vaddps %zmm
// CHECK-NOT: vaddps
// CHECK: jne
// CHECK-COUNT-3: vaddps %zmm
// Weights · values: 4 keys × 2 rows × 8 vectors in an iteration.
// CHECK: vbroadcastss
// CHECK-COUNT-64: vfmadd{{[0-9]+}}ps {{.*}}%zmm
// CHECK: retq

// CHECK-LABEL: halves:
// CHECK: prefetcht1
// CHECK-COUNT-64: vfmadd{{[0-9]+}}ps {{.*}}%zmm
// CHECK-COUNT-15: vaddps %zmm
// Weights · values: 4 keys × 4 rows × 4 vectors in an iteration.
// CHECK: vbroadcastss
// CHECK-COUNT-64: vfmadd{{[0-9]+}}ps {{.*}}%zmm
// CHECK: retq
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @attention(%q: memref<1x4x1x128xf32>, %k: memref<1x1x?x128xf32>, %v: memref<1x1x?x128xf32>, %o: memref<1x4x1x128xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x1x?x128xf32>, memref<1x1x?x128xf32>) outs(%o : memref<1x4x1x128xf32>)
  return
}
func.func @halves(%q: memref<1x4x1x128xf32>, %k: memref<1x1x?x128xf16>, %v: memref<1x1x?x128xf16>, %o: memref<1x4x1x128xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x1x?x128xf16>, memref<1x1x?x128xf16>) outs(%o : memref<1x4x1x128xf32>)
  return
}
}
