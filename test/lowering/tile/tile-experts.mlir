// RUN: weft-opt %s --split-input-file --weft-tile-experts --canonicalize --cse --remarks-filter-missed=weft-tile-experts --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// Items are blocks of one group's rows: the group is looked for among the offsets, whatever these hold.
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[W:[a-z0-9]+]]: tensor<8x20x64x16xf32>, %[[OFFSETS:[a-z0-9]+]]: tensor<9xi32>, %[[TOKENS:[a-z0-9]+]]: tensor<?xi32>, %[[INIT:[a-z0-9]+]]: tensor<?x320xf32>
// CHECK: %[[ROWS:.*]] = tensor.dim %[[INIT]], %{{.*}} : tensor<?x320xf32>
// CHECK: %[[FULL:.*]] = arith.divui %[[ROWS]], %c108
// CHECK: %[[LEAST:.*]] = arith.minui %[[ROWS]], %c8
// CHECK: %[[BLOCKS:.*]] = arith.addi %[[LEAST]], %[[FULL]]
// CHECK: scf.forall (%[[ITEM:.*]], %[[COLUMN:.*]]) = (0, 0) to (%[[BLOCKS]], 320) step (1, 48) shared_outs(%[[OUT:.*]] = %[[INIT]])
// CHECK: %[[FOUND:.*]]:5 = scf.for %{{.*}} iter_args(%{{.*}} = %[[ITEM]]
// CHECK: tensor.extract %[[OFFSETS]]
// CHECK: arith.maxsi
// CHECK: arith.minsi %{{.*}}, %[[ROWS]]
// CHECK-DAG: %[[PANELS:.*]] = tensor.extract_slice %[[W]][%[[FOUND]]#1, %{{.*}}, 0, 0] [1, %{{.*}}, 64, 16] [1, 1, 1, 1] : tensor<8x20x64x16xf32> to tensor<?x64x16xf32>
// CHECK-DAG: %[[PLACES:.*]] = tensor.extract_slice %[[TOKENS]][%[[FIRST:[0-9]+]]] [%[[COUNT:[0-9]+]]] [1]
// CHECK: %[[TILE:.*]] = weft.packed_matmul ins(%[[X]], %[[PANELS]] : {{.*}}) rows(%[[PLACES]] : tensor<?xi32>)
// CHECK: tensor.parallel_insert_slice %[[TILE]] into %[[OUT]][%[[FIRST]], %[[COLUMN]]] [%[[COUNT]], %{{.*}}] [1, 1]
// CHECK: {weft.item_cost = {{[0-9]+}} : i64}
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @rows(%x: tensor<?x64xf32>, %w: tensor<8x20x64x16xf32>, %offsets: tensor<9xi32>, %tokens: tensor<?xi32>, %init: tensor<?x320xf32>) -> tensor<?x320xf32> {
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<8x20x64x16xf32>, tensor<9xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x320xf32>) -> tensor<?x320xf32>
  return %y : tensor<?x320xf32>
}
}

// -----

// A narrow result is not cut across.
// CHECK-LABEL: func.func @narrow(
// CHECK: scf.forall (%{{.*}}) in (%{{.*}}) shared_outs
// CHECK: weft.packed_matmul ins(%{{.*}}, %{{.*}} : tensor<?x64xf32>, tensor<8x64x16xf32>) rows(%{{.*}} : tensor<?xi32>)
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @narrow(%x: tensor<?x64xf32>, %w: tensor<8x8x64x16xf32>, %offsets: tensor<9xi32>, %tokens: tensor<?xi32>, %init: tensor<?x128xf32>) -> tensor<?x128xf32> {
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<8x8x64x16xf32>, tensor<9xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x128xf32>) -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}
}

// -----

// The op on the product's own rows is part of the item; without `rows` the block's rows are a slice.
#id = affine_map<(r, n) -> (r, n)>
// CHECK-LABEL: func.func @epilogue(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %{{[a-z0-9]+}}: tensor<2x2x64x16xf32>, %{{[a-z0-9]+}}: tensor<3xi32>, %[[BIAS:[a-z0-9]+]]: tensor<2x32xf32>
// CHECK: scf.forall
// CHECK-DAG: %[[ROWS:.*]] = tensor.extract_slice %[[X]][%{{.*}}, 0] [%[[COUNT:.*]], 64] [1, 1]
// CHECK-DAG: %[[B:.*]] = tensor.extract_slice %[[BIAS]][%{{.*}}, 0] [1, 32] [1, 1] : tensor<2x32xf32> to tensor<32xf32>
// CHECK: %[[SUMS:.*]] = weft.packed_matmul ins(%[[ROWS]], %{{.*}}, %[[B]] : {{.*}}) outs(%{{.*}} : tensor<?x32xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]] : tensor<?x32xf32>)
// CHECK-NOT: weft.grouped_matmul
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @epilogue(%x: tensor<?x64xf32>, %w: tensor<2x2x64x16xf32>, %offsets: tensor<3xi32>, %bias: tensor<2x32xf32>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<2x2x64x16xf32>, tensor<3xi32>)
       bias(%bias : tensor<2x32xf32>) outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<?x32xf32>) outs(%init : tensor<?x32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.mulf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}
}

// -----

// What is combined is never stored: an item has columns of all tokens, to which the groups add in order.
// CHECK-LABEL: func.func @combined(
// CHECK-SAME: %[[TOKENS:[a-z0-9]+]]: tensor<?xi32>, %[[WEIGHTS:[a-z0-9]+]]: tensor<?xf32>, %[[INIT:[a-z0-9]+]]: tensor<?x320xf32>
// CHECK: scf.forall (%[[COLUMN:.*]]) = (0) to (320) step (48) shared_outs(%[[OUT:.*]] = %[[INIT]])
// CHECK: %[[START:.*]] = tensor.extract_slice %[[OUT]][0, %[[COLUMN]]]
// CHECK: %[[SUM:.*]] = scf.for %{{.*}} = %c0 to %c2 step %c1 iter_args(%[[GROUPS:.*]] = %[[START]])
// CHECK: scf.for %[[FIRST:.*]] = %{{.*}} iter_args(%[[ROWS:.*]] = %[[GROUPS]])
// CHECK: %[[MADE:.*]] = weft.packed_matmul
// CHECK-DAG: %[[T:.*]] = tensor.extract_slice %[[TOKENS]][%[[FIRST]]]
// CHECK-DAG: %[[W:.*]] = tensor.extract_slice %[[WEIGHTS]][%[[FIRST]]]
// CHECK: weft.combine ins(%[[MADE]], %[[T]], %[[W]] : {{.*}}) outs(%[[ROWS]]
// CHECK: tensor.parallel_insert_slice %[[SUM]] into %[[OUT]][0, %[[COLUMN]]]
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @combined(%x: tensor<?x64xf32>, %w: tensor<2x20x64x16xf32>, %offsets: tensor<3xi32>, %tokens: tensor<?xi32>, %weights: tensor<?xf32>, %init: tensor<?x320xf32>, %made: tensor<?x320xf32>) -> tensor<?x320xf32> {
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<2x20x64x16xf32>, tensor<3xi32>)
       outs(%made : tensor<?x320xf32>) -> tensor<?x320xf32>
  %z = weft.combine ins(%y, %tokens, %weights : tensor<?x320xf32>, tensor<?xi32>, tensor<?xf32>) outs(%init : tensor<?x320xf32>) -> tensor<?x320xf32>
  return %z : tensor<?x320xf32>
}
}

// -----

// A weight in groups along k: the rows are put beside each other first; those that are none are the last one.
// CHECK-LABEL: func.func @bytes(
// CHECK: arith.minui
// CHECK: %[[ROWS:.*]] = weft.embedding ins(%{{.*}}, %{{.*}} : tensor<?xi32>, tensor<?x64xf32>)
// CHECK: weft.groupwise_matmul {bits = 4 : i64, group = 32 : i64} ins(%[[ROWS]],
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @bytes(%x: tensor<?x64xf32>, %w: tensor<2x2x2x288xi8>, %offsets: tensor<3xi32>, %tokens: tensor<?xi32>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y = weft.grouped_matmul {bits = 4 : i64, group = 32 : i64} ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<2x2x2x288xi8>, tensor<3xi32>)
       rows(%tokens : tensor<?xi32>) outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
}

// -----

// CHECK-LABEL: func.func @unpacked(
// CHECK-NOT: weft.grouped_matmul
// CHECK: linalg.generic
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @unpacked(%x: tensor<?x64xf32>, %w: tensor<2x32x64xf32>, %offsets: tensor<3xi32>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  // expected-remark@+1 {{the groups' weights are not packed into panels of whole vectors}}
  %y = weft.grouped_matmul ins(%x, %w, %offsets : tensor<?x64xf32>, tensor<2x32x64xf32>, tensor<3xi32>)
       outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
}
