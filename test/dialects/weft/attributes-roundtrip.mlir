// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK: weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "+avx2">
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "+avx2">} {
}
