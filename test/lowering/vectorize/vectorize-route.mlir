// RUN: weft-opt %s --split-input-file --weft-vectorize-route --verify-diagnostics | FileCheck %s

// The best key below the last one, as often as there are choices; a row is read, not written.
// CHECK-LABEL: func.func @plain(
// CHECK-SAME: %[[SCORES:[a-z0-9]+]]: memref<?x128xf32>, %[[EXPERTS:[a-z0-9]+]]: memref<?x8xi32>, %[[WEIGHTS:[a-z0-9]+]]: memref<?x8xf32>
// CHECK-NOT: memref.alloca
// CHECK: scf.for %[[T:.*]] =
// CHECK: scf.for %[[J:.*]] = %{{.*}} iter_args(%[[LAST:.*]] = %c9223372036854775807_i64)
// CHECK: %[[BEST:.*]] = scf.for %[[E:.*]] = %{{.*}} step %c16{{.*}} iter_args
// CHECK: vector.maskedload %[[SCORES]][%[[T]], %[[E]]]
// CHECK: arith.cmpf uno
// CHECK: arith.cmpi slt
// CHECK: arith.cmpi sgt
// CHECK: %[[KEY:.*]] = vector.reduction <maxsi>, %[[BEST]] : vector<16xi64> into i64
// CHECK: %[[PLACE:.*]] = arith.minui
// CHECK: memref.load %[[SCORES]][%[[T]], %[[PLACE]]]
// CHECK: memref.store %{{.*}}, %[[EXPERTS]][%[[T]], %[[J]]]
// CHECK: memref.store %{{.*}}, %[[WEIGHTS]][%[[T]], %[[J]]]
// CHECK: scf.yield %[[KEY]] : i64
// CHECK-NOT: arith.divf
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @plain(%scores: memref<?x128xf32>, %experts: memref<?x8xi32>, %weights: memref<?x8xf32>) {
  weft.route ins(%scores : memref<?x128xf32>) outs(%experts, %weights : memref<?x8xi32>, memref<?x8xf32>)
  return
}
}

// -----

// Weights that are divided by their sum, a vector at a time.
// CHECK-LABEL: func.func @normalized(
// CHECK: vector.reduction <maxsi>
// CHECK: vector.reduction <add>
// CHECK: arith.divf
// CHECK: vector.maskedstore
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @normalized(%scores: memref<?x128xf32>, %experts: memref<?x8xi32>, %weights: memref<?x8xf32>) {
  weft.route {normalize = "sum"} ins(%scores : memref<?x128xf32>) outs(%experts, %weights : memref<?x8xi32>, memref<?x8xf32>)
  return
}
}

// -----

// Scores are made once, in a scratch; the chosen weights' sum divides them.
// CHECK-LABEL: func.func @mixtral(
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8xf32>
// CHECK: vector.reduction <maximumf>
// CHECK: math.exp
// CHECK: vector.reduction <add>
// CHECK: arith.divf
// CHECK: vector.maskedstore %[[SCRATCH]]
// CHECK: vector.reduction <maxsi>
// CHECK: vector.reduction <add>
// CHECK: arith.divf
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @mixtral(%scores: memref<?x8xf32>, %experts: memref<?x2xi32>, %weights: memref<?x2xf32>) {
  weft.route {scoring = "softmax", normalize = "sum"} ins(%scores : memref<?x8xf32>) outs(%experts, %weights : memref<?x2xi32>, memref<?x2xf32>)
  return
}
}

// -----

// Groups are ranked by their two best, and experts looked for in the best groups only.
// CHECK-LABEL: func.func @groups(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<64xf32>
// CHECK: %[[NUMBERS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8xf32>
// CHECK: %[[CHOSEN:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8xi32>
// CHECK-COUNT-2: vector.reduction <maxsi>
// CHECK: memref.store %{{.*}}, %[[NUMBERS]]
// CHECK: vector.reduction <maxsi>
// CHECK: memref.store %{{.*}}, %[[CHOSEN]]
// CHECK: memref.load %[[CHOSEN]]
// CHECK: scf.if
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @groups(%scores: memref<?x64xf32>, %bias: memref<64xf32>, %experts: memref<?x6xi32>, %weights: memref<?x6xf32>) {
  weft.route {scoring = "sigmoid", normalize = "sum", scale = 2.5 : f32, groups = 8, top_groups = 3, group_rank = 2}
      ins(%scores, %bias : memref<?x64xf32>, memref<64xf32>) outs(%experts, %weights : memref<?x6xi32>, memref<?x6xf32>)
  return
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @unknown(%scores: memref<?x?xf32>, %experts: memref<?x2xi32>, %weights: memref<?x2xf32>) {
  // expected-error@+1 {{scores of an unknown number of experts cannot be scored}}
  weft.route {scoring = "softmax"} ins(%scores : memref<?x?xf32>) outs(%experts, %weights : memref<?x2xi32>, memref<?x2xf32>)
  return
}
}
