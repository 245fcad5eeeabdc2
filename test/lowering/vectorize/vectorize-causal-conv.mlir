// RUN: weft-opt %s --weft-vectorize-causal-conv --canonicalize --cse | FileCheck %s

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// The taps of 16 channels are four vectors, each gathered by shuffles. The steps that may look back before the first, and
// what does not fill a block, are walked one by one; a block of four sees seven.
// CHECK-LABEL: @plain
// CHECK-SAME: (%[[X:.*]]: memref<1x?x16xf32>, %[[W:.*]]: memref<16x4xf32>, %[[Y:.*]]: memref<1x?x16xf32>)
// CHECK: %[[BACK:.*]] = arith.minui %[[STEPS:.*]], %c3
// CHECK: %[[LEFT:.*]] = arith.subi %[[STEPS]], %[[BACK]]
// CHECK: %[[REST:.*]] = arith.remui %[[LEFT]], %c4
// CHECK: %[[FIRST:.*]] = arith.addi %[[BACK]], %[[REST]]
// CHECK: %[[FLAT:.*]] = memref.collapse_shape %[[W]]
// CHECK-COUNT-4: vector.load %[[FLAT]]
// CHECK-COUNT-12: vector.shuffle
// CHECK: scf.for %[[T:.*]] = %c0 to %[[FIRST]] step %c1 iter_args(%[[A:.*]] = %[[ZERO:.*]], %[[B:.*]] = %[[ZERO]], %[[C:.*]] = %[[ZERO]])
// CHECK: %[[D:.*]] = vector.load %[[X]][%c0, %[[T]], %c0]
// CHECK: vector.fma %{{.*}}, %[[A]], %[[ZERO]]
// CHECK: vector.fma %{{.*}}, %[[B]],
// CHECK: vector.fma %{{.*}}, %[[C]],
// CHECK: %[[SUM:.*]] = vector.fma %{{.*}}, %[[D]],
// CHECK: vector.store %[[SUM]], %[[Y]][%c0, %[[T]], %c0]
// CHECK: scf.yield %[[B]], %[[C]], %[[D]]
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[STEPS]] step %c4 {
// CHECK-COUNT-7: vector.load %[[X]]
// CHECK-NOT: vector.load
// CHECK-COUNT-16: vector.fma
// CHECK-COUNT-4: vector.store %{{.*}}, %[[Y]]
func.func @plain(%x: memref<1x?x16xf32>, %w: memref<16x4xf32>, %y: memref<1x?x16xf32>) {
  weft.causal_conv ins(%x, %w : memref<1x?x16xf32>, memref<16x4xf32>) outs(%y : memref<1x?x16xf32>)
  return
}

// Read before the loop and written after it; a start hides what was seen.
// CHECK-LABEL: @state_and_reset
// CHECK-SAME: (%{{.*}}: memref<1x?x16xf32>, %{{.*}}: memref<16x2xf32>, %[[R:.*]]: memref<1x?xi8>, %[[S:.*]]: memref<1x1x16xf32>,
// CHECK: %[[BEFORE:.*]] = vector.load %[[S]]
// CHECK: scf.for {{.*}} iter_args(%[[SEEN:.*]] = %[[BEFORE]])
// CHECK: %[[FLAG:.*]] = memref.load %[[R]][%c0, %{{.*}}]
// CHECK: %[[STARTS:.*]] = arith.cmpi ne, %[[FLAG]], %c0_i8
// CHECK: %[[LANES:.*]] = vector.broadcast %[[STARTS]]
// CHECK: arith.select %[[LANES]], %{{.*}}, %[[SEEN]]
// CHECK: vector.store %{{.*}}, %[[S]]
// In a block, starts are looked for once: without one, nothing is hidden.
// CHECK: scf.for
// CHECK-COUNT-3: arith.ori
// CHECK: scf.if %{{.*}} {
// CHECK-COUNT-4: arith.select
// CHECK: } else {
// CHECK-NOT: arith.select
// CHECK: vector.store %{{.*}}, %[[S]]
func.func @state_and_reset(%x: memref<1x?x16xf32>, %w: memref<16x2xf32>, %r: memref<1x?xi8>, %s: memref<1x1x16xf32>, %y: memref<1x?x16xf32>) {
  weft.causal_conv ins(%x, %w : memref<1x?x16xf32>, memref<16x2xf32>) reset(%r : memref<1x?xi8>) outs(%y : memref<1x?x16xf32>) state(%s : memref<1x1x16xf32>)
  return
}

// A tile in time reads at most three steps before its first, and computes nothing there.
// CHECK-LABEL: @part
// CHECK-SAME: %[[FIRST:[a-z0-9]*]]: index
// CHECK: %[[BACK:.*]] = arith.minui %[[FIRST]], %c3
// CHECK: %[[SEEN:.*]]:3 = scf.for %{{.*}} = %c0 to %[[BACK]] step %c1
// CHECK-NEXT: arith.subi
// CHECK-NEXT: arith.subi
// CHECK-NEXT: vector.load
// CHECK-NEXT: scf.yield
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[SEEN]]#0,
// CHECK-NOT: vector.store %{{.*}}, %{{.*}}[%c0, %{{.*}}, %c0] : memref<1x?x16xf32>
func.func @part(%x: memref<1x?x16xf32>, %w: memref<16x4xf32>, %first: index, %y: memref<1x8x16xf32>) {
  weft.causal_conv ins(%x, %w : memref<1x?x16xf32>, memref<16x4xf32>) from(%first) outs(%y : memref<1x8x16xf32>)
  return
}

// Channels beyond the last whole vector; sums of bf16 are f32.
// CHECK-LABEL: @masked
// CHECK: %[[MASK:.*]] = vector.constant_mask [4] : vector<16xi1>
// CHECK: vector.maskedload %{{.*}}, %[[MASK]], {{.*}} : memref<1x1x20xbf16>, vector<16xi1>, vector<16xbf16>
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: vector.maskedstore %{{.*}}, %[[MASK]]
func.func @masked(%x: memref<1x1x20xbf16>, %w: memref<20x2xbf16>, %y: memref<1x1x20xbf16>) {
  weft.causal_conv ins(%x, %w : memref<1x1x20xbf16>, memref<20x2xbf16>) outs(%y : memref<1x1x20xbf16>)
  return
}
}
