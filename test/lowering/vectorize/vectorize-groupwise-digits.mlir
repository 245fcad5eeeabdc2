// RUN: weft-opt %s --split-input-file --weft-vectorize-groupwise-matmul --canonicalize --cse | FileCheck %s

// One row of 8 bits: its digits in a scratch; each word of the weight meets three; the upper two are one integer.
// CHECK-LABEL: @one_row(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<1x64xf32>, %[[W:[a-z0-9]+]]: memref<1x2x544xi8>
// CHECK-DAG: %[[OFFSET:.*]] = arith.constant dense<-2139062144> : vector<16xi32>
// CHECK: %[[WORDS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x2x32xi32>
// CHECK: %[[CORRECTIONS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x2x4xi32>
// CHECK: %[[UNITS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x2x2xf32>
// CHECK: scf.for %[[G:.*]] = %c0 to %c2
// CHECK: vector.load %[[X]]
// CHECK: vector.reduction <maxui>
// CHECK: arith.maxui
// CHECK-COUNT-2: memref.store %{{.*}}, %[[UNITS]]
// CHECK: llvm.call_intrinsic "llvm.lrint"
// CHECK: vector.shuffle %{{.*}} [0, 4, 8, 12, 1, 5, 9, 13,
// CHECK: vector.store %{{.*}}, %[[WORDS]]
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: vector.store %{{.*}}, %[[CORRECTIONS]]
// CHECK: scf.for %{{.*}} = %c0 to %c2
// CHECK: %[[SUMS:.*]]:3 = scf.for %{{.*}} = %c0 to %c8 step %c1 iter_args
// CHECK: vector.load %[[W]]
// CHECK: arith.xori %{{.*}}, %[[OFFSET]]
// CHECK-COUNT-3: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield
// CHECK: memref.prefetch %[[W]]{{.*}} locality<2>
// CHECK: %[[UP:.*]] = arith.shli %[[SUMS]]#2
// CHECK: %[[UPPER:.*]] = arith.addi %[[UP]], %[[SUMS]]#1
// CHECK: arith.sitofp %[[UPPER]]
// CHECK: vector.fma
// CHECK: arith.sitofp %[[SUMS]]#0
// CHECK: vector.fma
// A row that is not finite is multiplied in f32.
// CHECK: arith.cmpi ult, %{{.*}}, %c2139095040_i32
// CHECK: scf.if
// CHECK: } else {
// CHECK: vector.fma
module attributes {weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @one_row(%x: memref<1x64xf32>, %w: memref<1x2x544xi8>, %y: memref<1x16xf32>) {
  weft.groupwise_matmul {bits = 8, group = 32} ins(%x, %w : memref<1x64xf32>, memref<1x2x544xi8>) outs(%y : memref<1x16xf32>)
  return
}
}

// -----

// Twelve rows of 4 bits: a block of words is taken apart, low halves and high ones; all digits are one integer. The
// last group has 8 numbers.
// CHECK-LABEL: @many_rows(
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<12x40xf32>
// CHECK: %[[WORDS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<{{.*}}x2x32xi32>
// CHECK: %[[BYTES:.*]] = memref.alloca() {alignment = 64 : i64} : memref<16x32xi32>
// CHECK: vector.maskedload %[[X]]
// CHECK: arith.xori
// CHECK: arith.andi
// CHECK: vector.store %{{.*}}, %[[BYTES]]
// CHECK: arith.shrui
// CHECK: arith.andi
// CHECK: vector.store %{{.*}}, %[[BYTES]]
// CHECK: %{{.*}}:{{12|18}} = scf.for %{{.*}} = %c0 to %{{.*}} iter_args
// CHECK: arith.shli
// CHECK: arith.addi
// CHECK: scf.for %{{.*}} = %c0 to %c8 step %c4 iter_args
// CHECK: vector.load %[[BYTES]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: arith.sitofp
// CHECK: vector.fma
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @many_rows(%x: memref<12x40xf32>, %w: memref<2x2x288xi8>, %y: memref<12x32xf32>) {
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : memref<12x40xf32>, memref<2x2x288xi8>) outs(%y : memref<12x32xf32>)
  return
}
}

// -----

// Without the instruction the same in words of integers.
// CHECK-LABEL: @emulated(
// CHECK-NOT: call_intrinsic "llvm.x86
// CHECK: arith.muli
// CHECK: arith.sitofp
module attributes {weft.target = #weft.target<isa = "v4-bf16-vectors", lanes = 16, registers = 32, cpu = "x86-64-v3", features = "">} {
func.func @emulated(%x: memref<1x32xf32>, %w: memref<1x1x288xi8>, %y: memref<1x16xf32>) {
  weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : memref<1x32xf32>, memref<1x1x288xi8>) outs(%y : memref<1x16xf32>)
  return
}
}
