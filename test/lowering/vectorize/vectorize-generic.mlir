// RUN: weft-opt %s --split-input-file --weft-vectorize-generic --canonicalize --cse --remarks-filter-missed=weft-vectorize-generic --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#first = affine_map<(m, n) -> (m)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// What does not depend on the lanes stays scalar until it meets a vector.
// CHECK-LABEL: @parallel
// CHECK-SAME: (%[[X:.*]]: memref<1x16xf32>, %[[S:.*]]: memref<1xf32>, %[[Y:.*]]: memref<1x16xf32>)
// CHECK: scf.for %[[N:.*]] = %c0 to %c16 step %c8
// CHECK: %[[A:.*]] = vector.load %[[X]][%c0, %[[N]]] : memref<1x16xf32>, vector<8xf32>
// CHECK: %[[B:.*]] = memref.load %[[S]][%c0]
// CHECK: %[[BS:.*]] = vector.broadcast %[[B]]
// CHECK: %[[R:.*]] = arith.mulf %[[A]], %[[BS]] : vector<8xf32>
// CHECK: vector.store %[[R]], %[[Y]][%c0, %[[N]]]
func.func @parallel(%x: memref<1x16xf32>, %s: memref<1xf32>, %y: memref<1x16xf32>) {
  linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %s : memref<1x16xf32>, memref<1xf32>) outs(%y : memref<1x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %t = arith.mulf %a, %b : f32
    linalg.yield %t : f32
  }
  return
}

// CHECK-LABEL: @masked_tail
// CHECK: scf.for {{.*}} = %c0 to %c16 step %c8
// CHECK: %[[MASK:.*]] = vector.constant_mask [4] : vector<8xi1>
// CHECK: vector.maskedload %{{.*}}[%c0, %c16], %[[MASK]]
// CHECK: vector.maskedstore %{{.*}}[%c0, %c16], %[[MASK]]
func.func @masked_tail(%x: memref<1x20xf32>, %y: memref<1x20xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<1x20xf32>) outs(%y : memref<1x20xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = arith.addf %a, %a : f32
    linalg.yield %t : f32
  }
  return
}

// Partial sums in lanes; lanes beyond the end keep what they have. Then halves of the lanes together, and the start last.
// CHECK-LABEL: @reduction
// CHECK: %[[PARTIAL:.*]] = scf.for {{.*}} -> (vector<8xf32>)
// CHECK: %[[MASK:.*]] = vector.constant_mask [4]
// CHECK: %[[NEXT:.*]] = arith.addf %[[PARTIAL]]
// CHECK: %[[KEPT:.*]] = arith.select %[[MASK]], %[[NEXT]], %[[PARTIAL]]
// CHECK: %[[START:.*]] = memref.load
// CHECK: %[[LOW:.*]] = vector.extract_strided_slice %[[KEPT]] {offsets = [0], sizes = [4]
// CHECK: %[[HIGH:.*]] = vector.extract_strided_slice %[[KEPT]] {offsets = [4], sizes = [4]
// CHECK: arith.addf %[[LOW]], %[[HIGH]] : vector<4xf32>
// CHECK: arith.addf {{.*}} : vector<2xf32>
// CHECK: %[[LANES:.*]] = vector.extract %
// CHECK: %[[SUM:.*]] = arith.addf %[[START]], %[[LANES]] : f32
// CHECK: memref.store %[[SUM]]
func.func @reduction(%x: memref<1x20xf32>, %y: memref<1xf32>) {
  linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]} ins(%x : memref<1x20xf32>) outs(%y : memref<1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %t = arith.addf %acc, %a : f32
    linalg.yield %t : f32
  }
  return
}

// Four partial results over a known extent, joined before the vector that is left over.
// CHECK-LABEL: @long_reduction
// CHECK: %[[P:.*]]:4 = scf.for %{{.*}} = %c0 to %c64 step %c32
// CHECK: %[[A:.*]] = arith.maximumf %[[P]]#0, %[[P]]#2
// CHECK: %[[B:.*]] = arith.maximumf %[[P]]#1, %[[P]]#3
// CHECK: %[[AB:.*]] = arith.maximumf %[[A]], %[[B]]
// CHECK: %[[REST:.*]] = vector.load %{{.*}}[%c0, %c64]
// CHECK: arith.maximumf %[[AB]], %[[REST]]
func.func @long_reduction(%x: memref<1x72xf32>, %y: memref<1xf32>) {
  linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]} ins(%x : memref<1x72xf32>) outs(%y : memref<1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %t = arith.maximumf %acc, %a : f32
    linalg.yield %t : f32
  }
  return
}

// Columns in lanes, the sum over rows in a register.
// CHECK-LABEL: @column_reduction
// CHECK: scf.for {{.*}} step %c8
// CHECK: %[[SUM:.*]] = scf.for {{.*}} step %c1 iter_args({{.*}}) -> (vector<8xf32>)
// CHECK: vector.store %[[SUM]]
func.func @column_reduction(%x: memref<?x16xf32>, %y: memref<16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(n, m) -> (m, n)>, affine_map<(n, m) -> (n)>], iterator_types = ["parallel", "reduction"]} ins(%x : memref<?x16xf32>) outs(%y : memref<16xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %t = arith.addf %acc, %a : f32
    linalg.yield %t : f32
  }
  return
}

// CHECK-LABEL: @index_in_lanes
// CHECK: %[[STEP:.*]] = vector.step : vector<8xindex>
// CHECK: arith.index_cast %[[STEP]] : vector<8xindex> to vector<8xi64>
func.func @index_in_lanes(%y: memref<8xi64>) {
  linalg.generic {indexing_maps = [affine_map<(n) -> (n)>], iterator_types = ["parallel"]} outs(%y : memref<8xi64>) {
  ^bb0(%out: i64):
    %i = linalg.index 0 : index
    %t = arith.index_cast %i : index to i64
    linalg.yield %t : i64
  }
  return
}

// Named ops too.
// CHECK-LABEL: @fill
// CHECK: vector.store {{.*}} : memref<16xf32>, vector<8xf32>
func.func @fill(%y: memref<16xf32>) {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%y : memref<16xf32>)
  return
}

// CHECK-LABEL: @negative_transpose
// CHECK-NOT: vector
// CHECK: memref.store
func.func @negative_transpose(%x: memref<4x8xf32>, %y: memref<8x4xf32>) {
  // expected-remark@+1 {{no dimension is contiguous in all operands of a body that works lane by lane}}
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<4x8xf32>) outs(%y : memref<8x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @negative_tensors(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{must work on memrefs here: run the bufferize phase first}}
  %y = linalg.exp ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
}

// -----

// expected-error@+1 {{needs the module attribute 'weft.target'}}
module {
}
