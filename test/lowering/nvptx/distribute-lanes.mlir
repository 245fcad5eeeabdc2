// Code on vectors becomes code of one lane.
// RUN: weft-opt %s --split-input-file --weft-distribute-lanes --canonicalize --cse --verify-diagnostics | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: func.func @example(
  // CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[I:.*]]: index)
  // CHECK-DAG: %[[SEGMENT:.*]] = arith.constant 4127 : i32
  // CHECK-DAG: %[[THREE:.*]] = arith.constant 3 : i32
  // CHECK: %[[LANE32:.*]] = arith.andi %{{.*}}, %c15_i32
  // CHECK: %[[GROUP:.*]] = arith.shli %c65535_i32, %{{.*}}
  // CHECK: %[[LANE:.*]] = arith.index_castui %[[LANE32]]
  // CHECK: %[[J:.*]] = arith.addi %[[I]], %[[LANE]]
  // CHECK: %[[V:.*]] = memref.load %[[X]][%[[J]]]
  // CHECK: %[[W:.*]] = arith.mulf %[[V]], %[[V]] : f32
  // CHECK: nvvm.shfl.sync idx %[[GROUP]], %[[W]], %[[THREE]], %[[SEGMENT]]
  func.func @example(%x: memref<?xf32>, %i: index) -> f32 {
    %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
    %w = arith.mulf %v, %v : vector<16xf32>
    %s = vector.extract %w[3] : f32 from vector<16xf32>
    return %s : f32
  }

  // The first thread stores a scalar; a mask guards what a lane reads and writes.
  // CHECK-LABEL: func.func @memory(
  // CHECK: %[[IN:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : index
  // CHECK: %[[FIRST:.*]] = arith.cmpi eq, %[[LANE:.*]], %c0_i32
  // CHECK: scf.if %[[FIRST]] {
  // CHECK-NEXT: memref.store %{{.*}}, %{{.*}}[%{{.*}}] : memref<?xf32>
  // CHECK: %[[READ:.*]] = scf.if %[[IN]] -> (f32) {
  // CHECK-NEXT: memref.load
  // CHECK: } else {
  // CHECK-NEXT: scf.yield %{{.*}} : f32
  // CHECK: scf.if %[[IN]] {
  // CHECK-NEXT: memref.store %[[READ]]
  // CHECK: %[[FOUR:.*]] = arith.cmpi ult, %[[LANE]], %c4_i32
  // CHECK: scf.if %[[FOUR]]
  func.func @memory(%x: memref<?xf32>, %i: index, %n: index, %s: f32) {
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %mask = vector.create_mask %n : vector<16xi1>
    memref.store %s, %x[%i] : memref<?xf32>
    memref.prefetch %x[%i], read, locality<3>, data : memref<?xf32>
    %v = vector.maskedload %x[%i], %mask, %zero : memref<?xf32>, vector<16xi1>, vector<16xf32> into vector<16xf32>
    vector.maskedstore %x[%i], %mask, %v : memref<?xf32>, vector<16xi1>, vector<16xf32>
    %few = vector.load %x[%i] : memref<?xf32>, vector<4xf32>
    vector.store %few, %x[%n] : memref<?xf32>, vector<4xf32>
    return
  }

  // A shuffle of two vectors: one move each, where lanes move at all, and a choice. Loops carry a lane.
  // CHECK-LABEL: func.func @moves(
  // CHECK: scf.for {{.*}} -> (f32)
  // CHECK-COUNT-1: nvvm.shfl.sync idx
  // CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : f32
  // CHECK-COUNT-4: nvvm.shfl.sync bfly
  // CHECK-NOT: vector.
  func.func @moves(%x: memref<?xf32>, %n: index) -> f32 {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %sum = scf.for %i = %c0 to %n step %c16 iter_args(%acc = %zero) -> vector<16xf32> {
      %v = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
      %next = vector.fma %v, %v, %acc : vector<16xf32>
      scf.yield %next : vector<16xf32>
    }
    %v = vector.load %x[%c0] : memref<?xf32>, vector<16xf32>
    %blend = vector.shuffle %sum, %v [0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30]
        : vector<16xf32>, vector<16xf32>
    %s = vector.reduction <add>, %blend : vector<16xf32> into f32
    return %s : f32
  }

  // Numbers of 64 bits move as two words, of 16 bits in one.
  // CHECK-LABEL: func.func @widths(
  // CHECK-COUNT-2: nvvm.shfl.sync idx
  // CHECK: arith.bitcast %{{.*}} : f16 to i16
  // CHECK: arith.extui
  // CHECK: nvvm.shfl.sync idx
  func.func @widths(%x: memref<?xindex>, %h: memref<?xf16>, %i: index) -> (index, f16) {
    %v = vector.load %x[%i] : memref<?xindex>, vector<16xindex>
    %w = vector.load %h[%i] : memref<?xf16>, vector<16xf16>
    %a = vector.extract %v[%i] : index from vector<16xindex>
    %b = vector.extract %w[%i] : f16 from vector<16xf16>
    return %a, %b : index, f16
  }

  // Of 64 bytes a lane has four, the bytes of one word: they move between bytes and words without a shuffle.
  // CHECK-LABEL: func.func @wide(
  // CHECK: arith.muli %{{.*}}, %c4{{.*}} : index
  // CHECK: memref.load %{{.*}} : memref<?xi8>
  // CHECK-NOT: nvvm.shfl
  // CHECK: arith.extui %{{.*}} : i8 to i32
  // CHECK-NEXT: arith.shli %{{.*}}, %c24_i32 : i32
  // CHECK: memref.store %{{.*}} : memref<?xi32>
  func.func @wide(%x: memref<?xi8>, %y: memref<?xi32>, %i: index) {
    %zero = arith.constant dense<0> : vector<64xi8>
    %v = vector.load %x[%i] : memref<?xi8>, vector<64xi8>
    %s = vector.shuffle %v, %zero [64, 64, 64, 0, 64, 64, 64, 4, 64, 64, 64, 8, 64, 64, 64, 12, 64, 64, 64, 16, 64, 64, 64, 20, 64,
        64, 64, 24, 64, 64, 64, 28, 64, 64, 64, 32, 64, 64, 64, 36, 64, 64, 64, 40, 64, 64, 64, 44, 64, 64, 64, 48, 64, 64, 64, 52,
        64, 64, 64, 56, 64, 64, 64, 60] : vector<64xi8>, vector<64xi8>
    %w = vector.bitcast %s : vector<64xi8> to vector<16xi32>
    %u = arith.addi %w, %w : vector<16xi32>
    vector.store %u, %y[%i] : memref<?xi32>, vector<16xi32>
    return
  }

  // Of a short vector, a lane's bits come from several lanes, or its part from one.
  // CHECK-LABEL: func.func @short(
  // CHECK-COUNT-2: nvvm.shfl.sync idx
  // CHECK: arith.ori %{{.*}} : i32
  // CHECK: nvvm.shfl.sync idx
  // CHECK: arith.shrui %{{.*}} : i32
  // CHECK: arith.trunci %{{.*}} : i32 to i8
  func.func @short(%x: memref<?xi16>, %y: memref<?xi8>, %i: index) {
    %v = vector.load %x[%i] : memref<?xi16>, vector<4xi16>
    %w = vector.bitcast %v : vector<4xi16> to vector<2xi32>
    %u = arith.addi %w, %w : vector<2xi32>
    %b = vector.bitcast %u : vector<2xi32> to vector<8xi8>
    vector.store %b, %y[%i] : memref<?xi8>, vector<8xi8>
    return
  }
}

// -----
gpu.module @kernels {
  func.func @odd(%x: memref<?xf32>, %i: index, %v: vector<24xf32>) {
    // expected-error@+1 {{failed to legalize operation 'vector.store'}}
    vector.store %v, %x[%i] : memref<?xf32>, vector<24xf32>
    return
  }
}
