// RUN: weft-opt %s --weft-vectorize-quantized-matmul --split-input-file | FileCheck %s

// Each row's sum times −128 first: then a weight's bytes count as unsigned ones, 128 more than they are.
// CHECK-LABEL: @bytes(
// CHECK: %[[STARTS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<9xi32>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: vector.maskedload
// CHECK: vector.reduction <add>
// CHECK: arith.constant -128 : i32
// CHECK: memref.store %{{.*}}, %[[STARTS]]
// CHECK: %[[START:.*]] = memref.load %[[STARTS]]
// CHECK: vector.broadcast %[[START]] : i32 to vector<16xi32>
// CHECK: scf.for {{.*}} iter_args
// CHECK: memref.prefetch
// CHECK: %[[UNSIGNED:.*]] = arith.xori %{{.*}} : vector<16xi32>
// CHECK: %[[LEFT:.*]] = vector.bitcast %[[UNSIGNED]] : vector<16xi32> to vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[LEFT]], %{{.*}})
// CHECK: arith.sitofp
module attributes {weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @bytes(%x: memref<9x20xi8>, %s: memref<9xf32>, %w: memref<1x5x64xi8>, %t: memref<16xf32>, %y: memref<9x16xf32>) {
  weft.quantized_matmul ins(%x, %s, %w, %t : memref<9x20xi8>, memref<9xf32>, memref<1x5x64xi8>, memref<16xf32>)
                        outs(%y : memref<9x16xf32>)
  return
}

// Of rows whose number is not known, a tile's at a time.
// CHECK-LABEL: @any_rows(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<8xi32>
func.func @any_rows(%x: memref<?x20xi8>, %s: memref<?xf32>, %w: memref<1x5x64xi8>, %t: memref<16xf32>, %y: memref<?x16xf32>) {
  weft.quantized_matmul ins(%x, %s, %w, %t : memref<?x20xi8>, memref<?xf32>, memref<1x5x64xi8>, memref<16xf32>)
                        outs(%y : memref<?x16xf32>)
  return
}
}

// -----

// Without the instruction: four products of bytes.
// CHECK-LABEL: @emulated(
// CHECK-COUNT-4: arith.muli
// CHECK-NOT: llvm.call_intrinsic
module attributes {weft.target = #weft.target<isa = "v4-bf16-vectors", lanes = 16, registers = 32, cpu = "x86-64-v3", features = "">} {
func.func @emulated(%x: memref<9x20xi8>, %s: memref<9xf32>, %w: memref<1x5x64xi8>, %t: memref<16xf32>, %y: memref<9x16xf32>) {
  weft.quantized_matmul ins(%x, %s, %w, %t : memref<9x20xi8>, memref<9xf32>, memref<1x5x64xi8>, memref<16xf32>)
                        outs(%y : memref<9x16xf32>)
  return
}
}
