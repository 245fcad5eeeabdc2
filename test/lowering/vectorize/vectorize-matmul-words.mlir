// RUN: weft-opt %s --weft-vectorize-matmul --split-input-file | FileCheck %s

// Rows of bf16 are read where they are: a word of two numbers for all lanes, times the words of sixteen columns.
// CHECK-LABEL: @in_place(
// CHECK-NOT: memref.alloca
// CHECK: scf.for {{.*}} iter_args
// CHECK: %[[WORDS:.*]] = vector.bitcast {{.*}} : vector<32xbf16> to vector<16xi32>
// CHECK: %[[PAIR:.*]] = vector.load %{{.*}} : memref<9x20xbf16{{.*}}, vector<2xbf16>
// CHECK: %[[WORD:.*]] = vector.bitcast %[[PAIR]] : vector<2xbf16> to vector<1xi32>
// CHECK: vector.extract %[[WORD]][0]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @in_place(%x: memref<9x20xbf16>, %w: memref<1x10x32xbf16>, %y: memref<9x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<9x20xbf16>, memref<1x10x32xbf16>) outs(%y : memref<9x16xf32>)
  return
}

// Rows of f32 are rounded once for all columns, with a zero behind an odd end.
// CHECK-LABEL: @rounded(
// CHECK: %[[ROUNDED:.*]] = memref.alloca() {alignment = 64 : i64} : memref<18x32xbf16>
// CHECK: scf.for
// CHECK: vector.load %{{.*}} : memref<18x19xf32{{.*}}, vector<16xf32>
// CHECK: arith.truncf {{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.maskedload
// CHECK: vector.store %{{.*}}, %[[ROUNDED]]
// CHECK: scf.for {{.*}} step %c48
// CHECK: scf.for {{.*}} iter_args
// CHECK: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
func.func @rounded(%x: memref<18x19xf32>, %w: memref<6x10x32xbf16>, %y: memref<18x96xf32>) {
  weft.packed_matmul ins(%x, %w : memref<18x19xf32>, memref<6x10x32xbf16>) outs(%y : memref<18x96xf32>)
  return
}

// One row alone reads its weight at memory's speed in f32, which is exact.
// CHECK-LABEL: @one_row(
// CHECK-NOT: dpbf16ps
// CHECK: vector.fma
func.func @one_row(%x: memref<1x20xf32>, %w: memref<1x10x32xbf16>, %y: memref<1x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<1x20xf32>, memref<1x10x32xbf16>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

// Without the instruction: multiply-adds of the upper halves, then of the lower ones.
// CHECK-LABEL: @emulated(
// CHECK: arith.andi
// CHECK: vector.fma
// CHECK: arith.shli
// CHECK: vector.fma
// CHECK-NOT: llvm.call_intrinsic
module attributes {weft.target = #weft.target<isa = "v4-bf16-vectors", lanes = 16, registers = 32, cpu = "x86-64-v3", features = "">} {
func.func @emulated(%x: memref<9x20xbf16>, %w: memref<1x10x32xbf16>, %y: memref<9x16xf32>) {
  weft.packed_matmul ins(%x, %w : memref<9x20xbf16>, memref<1x10x32xbf16>) outs(%y : memref<9x16xf32>)
  return
}
}
