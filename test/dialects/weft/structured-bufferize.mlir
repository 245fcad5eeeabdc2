// Ops on tensors become ops on memrefs that write their destinations; what a destination held is not read.
// RUN: weft-opt %s --one-shot-bufferize=bufferize-function-boundaries --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @layer(
// CHECK-SAME: %[[IDS:.*]]: memref<?xi64, {{.*}}>, %[[E:.*]]: memref<?x8xf32, {{.*}}>, %[[OUT:.*]]: memref<?x20xf32, {{.*}}>)
// CHECK-DAG: %[[TABLE:.*]] = weft.parameter "table" : memref<10x8xf32>
// CHECK-DAG: %[[W:.*]] = weft.parameter "w" {{.*}} : memref<2x8x16xf32>
// CHECK-NOT: memref.alloc
// CHECK: weft.embedding ins(%[[IDS]], %[[TABLE]] : {{.*}}) outs(%[[E]] :
// CHECK: weft.packed_matmul ins(%[[E]], %[[W]] : {{.*}}) outs(%[[OUT]] :
// CHECK-NOT: memref.copy
func.func @layer(%ids: tensor<?xi64>, %e: tensor<?x8xf32>, %out: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %table = weft.parameter "table" : tensor<10x8xf32>
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<2x8x16xf32>
  %x = weft.embedding ins(%ids, %table : tensor<?xi64>, tensor<10x8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<2x8x16xf32>) outs(%out : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// A weight is never written: who takes it as a destination gets new memory.
// CHECK-LABEL: func.func @weight_as_destination(
// CHECK: %[[NEW:.*]] = memref.alloc
// CHECK: outs(%[[NEW]] :
func.func @weight_as_destination(%x: tensor<8xf32>) -> tensor<8xf32> {
  %w = weft.parameter "w" : tensor<8xf32>
  %y = weft.layer_norm {epsilon = 0.5 : f32} ins(%x, %x : tensor<8xf32>, tensor<8xf32>) outs(%w : tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
// CHECK-LABEL: func.func @attention(
// CHECK-SAME: %[[Q:.*]]: memref<1x2x?x4xf32, {{.*}}>, %[[BIAS:.*]]: memref<2xf32, {{.*}}>, %[[OUT:.*]]: memref<1x2x?x4xf32, {{.*}}>, %[[LSE:.*]]: memref<1x2x?xf32, {{.*}}>)
// CHECK-NEXT: weft.attention {{.*}} ins(%[[Q]], %[[Q]], %[[Q]] : {{.*}}) outs(%[[OUT]], %[[LSE]] : {{.*}}) score {
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: index, %[[H:.*]]: index, %{{.*}}: index, %{{.*}}: index):
// CHECK-NEXT: memref.load %[[BIAS]][%[[H]]]
// CHECK: return %[[OUT]], %[[LSE]]
func.func @attention(%q: tensor<1x2x?x4xf32>, %bias: tensor<2xf32>, %out: tensor<1x2x?x4xf32>, %lse: tensor<1x2x?xf32>) -> (tensor<1x2x?x4xf32>, tensor<1x2x?xf32>) {
  %o:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
       ins(%q, %q, %q : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>)
       outs(%out, %lse : tensor<1x2x?x4xf32>, tensor<1x2x?xf32>)
       score {
       ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
         %slope = tensor.extract %bias[%h] : tensor<2xf32>
         %biased = arith.addf %s, %slope : f32
         weft.yield %biased : f32
       } -> tensor<1x2x?x4xf32>, tensor<1x2x?xf32>
  return %o#0, %o#1 : tensor<1x2x?x4xf32>, tensor<1x2x?xf32>
}

// CHECK-LABEL: func.func @quantized(
// CHECK-SAME: %[[X:.*]]: memref<?x8xf32, {{.*}}>, %[[V:.*]]: memref<?x8xi8, {{.*}}>, %[[T:.*]]: memref<?xf32, {{.*}}>, %[[OUT:.*]]: memref<?x20xf32, {{.*}}>)
// CHECK-NOT: memref.alloc
// CHECK: weft.quantize_rows ins(%[[X]] : {{.*}}) outs(%[[V]], %[[T]] :
// CHECK: weft.quantized_matmul ins(%[[V]], %[[T]], %{{.*}}, %{{.*}} : {{.*}}) outs(%[[OUT]] :
func.func @quantized(%x: tensor<?x8xf32>, %v: tensor<?x8xi8>, %t: tensor<?xf32>, %out: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "w.int8" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true, int8 = true>) : tensor<2x2x64xi8>
  %ws = weft.parameter "w.int8_scales" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true, int8 = true>) : tensor<20xf32>
  %q, %s = weft.quantize_rows ins(%x : tensor<?x8xf32>) outs(%v, %t : tensor<?x8xi8>, tensor<?xf32>) -> tensor<?x8xi8>, tensor<?xf32>
  %y = weft.quantized_matmul ins(%q, %s, %w, %ws : tensor<?x8xi8>, tensor<?xf32>, tensor<2x2x64xi8>, tensor<20xf32>) outs(%out : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func.func @groupwise(
// CHECK-SAME: %[[X:.*]]: memref<?x50xf32, {{.*}}>, %[[OUT:.*]]: memref<?x20xf32, {{.*}}>)
// CHECK-NOT: memref.alloc
// CHECK: weft.groupwise_matmul {bits = 4 : i64, group = 32 : i64} ins(%[[X]], %{{.*}} : {{.*}}) outs(%[[OUT]] :
func.func @groupwise(%x: tensor<?x50xf32>, %out: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %w = weft.parameter "w.int4" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true, form = "int4">) : tensor<2x2x288xi8>
  %y = weft.groupwise_matmul {bits = 4, group = 32} ins(%x, %w : tensor<?x50xf32>, tensor<2x2x288xi8>) outs(%out : tensor<?x20xf32>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
