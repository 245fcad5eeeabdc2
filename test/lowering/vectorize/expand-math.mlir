// RUN: weft-opt %s --split-input-file --weft-expand-math --verify-diagnostics | FileCheck %s

// Polynomials with fused multiply-adds.
// CHECK-LABEL: @elementary
// CHECK-NOT: math.{{exp|exp2|erf|tanh|log}} %
// CHECK: vector.fma {{.*}} : vector<8xf32>
// CHECK-NOT: math.{{exp|exp2|erf|tanh|log}} %
// CHECK: return
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @elementary(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %0 = math.exp %x : vector<8xf32>
  %1 = math.exp2 %x : vector<8xf32>
  %2 = math.erf %x : vector<8xf32>
  %3 = math.tanh %x : vector<8xf32>
  %4 = math.log %x : vector<8xf32>
  return %0, %1, %2, %3, %4 : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
}
}

// -----

// Without an FMA instruction a fused multiply-add would be a call of the library: products and sums.
// CHECK-LABEL: @elementary
// CHECK-NOT: {{vector|math}}.fma
// CHECK-NOT: math.{{exp|exp2|erf|tanh|log}} %
// CHECK: return
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
func.func @elementary(%x: vector<4xf32>) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  %0 = math.exp %x : vector<4xf32>
  %1 = math.exp2 %x : vector<4xf32>
  %2 = math.erf %x : vector<4xf32>
  %3 = math.tanh %x : vector<4xf32>
  %4 = math.log %x : vector<4xf32>
  return %0, %1, %2, %3, %4 : vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>
}
}

// -----

// Scalars too.
// CHECK-LABEL: @scalar
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : f32
// CHECK: return
// What is one instruction stays.
// CHECK-LABEL: @negative_one_instruction
// CHECK: math.sqrt
// CHECK: math.absf
// CHECK: math.copysign
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @scalar(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}
func.func @negative_one_instruction(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %0 = math.sqrt %x : vector<8xf32>
  %1 = math.absf %x : vector<8xf32>
  %2 = math.copysign %0, %1 : vector<8xf32>
  return %0, %1, %2 : vector<8xf32>, vector<8xf32>, vector<8xf32>
}
}

// -----

// expected-error@+1 {{needs the module attribute 'weft.target'}}
module {
}
