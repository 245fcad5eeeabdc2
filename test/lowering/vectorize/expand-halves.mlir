// RUN: weft-opt %s --split-input-file --weft-expand-halves --verify-diagnostics | FileCheck %s

// bf16 is the upper half of an f32, on every level.
// CHECK-LABEL: @widen(
// CHECK: %[[BITS:.*]] = arith.bitcast %{{.*}} : vector<8xbf16> to vector<8xi16>
// CHECK: %[[WORDS:.*]] = arith.extui %[[BITS]]
// CHECK: %[[UP:.*]] = arith.shli %[[WORDS]]
// CHECK: arith.bitcast %[[UP]] : vector<8xi32> to vector<8xf32>
// CHECK: arith.extf %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK-NOT: arith.extf
// CHECK: return
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @widen(%x: vector<8xbf16>, %y: vector<8xf16>) -> (vector<8xf32>, vector<8xf32>) {
  %0 = arith.extf %x : vector<8xbf16> to vector<8xf32>
  %1 = arith.extf %y : vector<8xf16> to vector<8xf32>
  return %0, %1 : vector<8xf32>, vector<8xf32>
}

// CHECK-LABEL: @narrow(
// CHECK-NOT: arith.truncf
// CHECK: %[[ROUNDED:.*]] = arith.select
// CHECK: %[[UPPER:.*]] = arith.shrui %[[ROUNDED]]
// CHECK: arith.trunci %[[UPPER]] : vector<8xi32> to vector<8xi16>
// CHECK: arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
// CHECK-NOT: arith.truncf
// CHECK: return
func.func @narrow(%x: vector<8xf32>) -> (vector<8xbf16>, vector<8xf16>) {
  %0 = arith.truncf %x : vector<8xf32> to vector<8xbf16>
  %1 = arith.truncf %x : vector<8xf32> to vector<8xf16>
  return %0, %1 : vector<8xbf16>, vector<8xf16>
}

// Each result is rounded.
// CHECK-LABEL: @compute(
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: arith.trunci
// CHECK: arith.addf %{{.*}}, %{{.*}} : f32
// CHECK: arith.trunci
// CHECK: arith.cmpf olt, %{{.*}}, %{{.*}} : f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.trunci
// CHECK: arith.select %{{.*}} : bf16
func.func @compute(%x: bf16, %y: bf16) -> bf16 {
  %p = arith.mulf %x, %y : bf16
  %s = arith.addf %p, %y : bf16
  %c = arith.cmpf olt, %x, %y : bf16
  %e = math.exp %s : bf16
  %r = arith.select %c, %s, %e : bf16
  return %r : bf16
}
}

// -----

// No instruction for f16 either.
// CHECK-LABEL: @portable(
// CHECK-NOT: arith.{{extf|truncf}}
// CHECK: return
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
func.func @portable(%x: vector<4xf16>) -> vector<4xf16> {
  %0 = arith.extf %x : vector<4xf16> to vector<4xf32>
  %1 = arith.negf %0 : vector<4xf32>
  %2 = arith.truncf %1 : vector<4xf32> to vector<4xf16>
  return %2 : vector<4xf16>
}
}

// -----

// CHECK-LABEL: @instruction(
// CHECK: arith.truncf %{{.*}} : vector<16xf32> to vector<16xbf16>
module attributes {weft.target = #weft.target<isa = "amx", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @instruction(%x: vector<16xf32>) -> vector<16xbf16> {
  %0 = arith.truncf %x : vector<16xf32> to vector<16xbf16>
  return %0 : vector<16xbf16>
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @negative_f64(%x: f64) -> bf16 {
  // expected-error@+1 {{has no expansion for the CPU: bf16 and f16 convert from and to f32, rounded to nearest even}}
  %0 = arith.truncf %x : f64 to bf16
  return %0 : bf16
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @negative_other_rounding(%x: f32) -> bf16 {
  // expected-error@+1 {{has no expansion for the CPU: bf16 and f16 convert from and to f32, rounded to nearest even}}
  %0 = arith.truncf %x toward_zero : f32 to bf16
  return %0 : bf16
}
}
