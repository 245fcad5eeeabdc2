// RUN: weft-opt %s --split-input-file --weft-tile-kernels --canonicalize --cse | FileCheck %s

// An epilogue is the root; its product is computed tile by tile inside: up to twelve register tiles of 9 rows, as many in
// each item as an even cut gives, and four of 48 columns; items run along the columns.
// CHECK: #[[SHARE:.*]] = affine_map<()[s0] -> (108, s0 * 9)>
// CHECK: #[[ROWS:.*]] = affine_map<(d0)[s0, s1] -> (-d0 + s0, 108, s1 * 9)>
// CHECK: #[[PANEL:.*]] = affine_map<(d0) -> (d0 floordiv 16)>
// CHECK-LABEL: @product_with_epilogue
// CHECK-SAME: %[[N:[a-z0-9]+]]: index
// CHECK: %[[TILES:.*]] = arith.ceildivui %{{.*}}, %c9
// CHECK: %[[STEP:.*]] = affine.min #[[SHARE]]()[%[[TILES]]]
// CHECK: scf.forall (%[[ROW:.*]], %[[COLUMN:.*]]) = (0, 0) to (%{{.*}}, 1536) step (%[[STEP]], 192) shared_outs(%[[OUT:.*]] = %{{.*}})
// CHECK: %[[COUNT:.*]] = affine.min #[[ROWS]](%[[ROW]])[%[[N]], %[[TILES]]]
// CHECK: %[[FIRST:.*]] = affine.apply #[[PANEL]](%[[COLUMN]])
// CHECK: %[[W:.*]] = tensor.extract_slice %{{.*}}[%[[FIRST]], 0, 0] [12, 384, 16] [1, 1, 1]
// CHECK: %[[P:.*]] = weft.packed_matmul ins(%{{.*}}, %[[W]] :
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<?x192xf32>)
// CHECK: tensor.parallel_insert_slice %[[R]] into %[[OUT]][%[[ROW]], %[[COLUMN]]] [%[[COUNT]], 192] [1, 1]
// CHECK: {weft.item_cost = 269568 : i64}
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @product_with_epilogue(%x: memref<?x384xf32>, %w: memref<96x384x16xf32>, %n: index, %y: memref<?x1536xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x384xf32> to tensor<?x384xf32>
  %tw = bufferization.to_tensor %w restrict : memref<96x384x16xf32> to tensor<96x384x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x1536xf32> to tensor<?x1536xf32>
  %e = tensor.empty(%n) : tensor<?x1536xf32>
  %p = weft.packed_matmul ins(%tx, %tw : tensor<?x384xf32>, tensor<96x384x16xf32>) outs(%e : tensor<?x1536xf32>) -> tensor<?x1536xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x1536xf32>) outs(%ty : tensor<?x1536xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.erf %a : f32
    linalg.yield %t : f32
  } -> tensor<?x1536xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x1536xf32>, memref<?x1536xf32>) -> ()
  return
}
}

// -----

// v3: up to eight register tiles of 6 rows. 1152 columns are nine blocks of 128.
// CHECK-LABEL: @product
// CHECK: scf.forall {{.*}} = (0, 0) to (%{{.*}}, 1152) step (%{{.*}}, 128)
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func private @product(%x: memref<?x384xf32>, %w: memref<72x384x16xf32>, %y: memref<?x1152xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x384xf32> to tensor<?x384xf32>
  %tw = bufferization.to_tensor %w restrict : memref<72x384x16xf32> to tensor<72x384x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x1152xf32> to tensor<?x1152xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<?x384xf32>, tensor<72x384x16xf32>) outs(%ty : tensor<?x1152xf32>) -> tensor<?x1152xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x1152xf32>, memref<?x1152xf32>) -> ()
  return
}
}

// -----

// Few columns stay together; 100 rows are 54 and 46.
// CHECK-LABEL: @product
// CHECK: scf.forall (%{{.*}}) = (0) to (100) step (54)
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
func.func private @product(%x: memref<100x8xf32>, %w: memref<4x8x16xf32>, %y: memref<100x64xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<100x8xf32> to tensor<100x8xf32>
  %tw = bufferization.to_tensor %w restrict : memref<4x8x16xf32> to tensor<4x8x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<100x64xf32> to tensor<100x64xf32>
  %r = weft.packed_matmul ins(%tx, %tw : tensor<100x8xf32>, tensor<4x8x16xf32>) outs(%ty : tensor<100x64xf32>) -> tensor<100x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<100x64xf32>, memref<100x64xf32>) -> ()
  return
}
}

// -----

// One batch, one head, one block of 256 queries an item.
// CHECK-LABEL: @attention
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]], %[[I:.*]]) = (0, 0, 0) to (%{{.*}}, 12, %{{.*}}) step (1, 1, 256)
// CHECK: weft.attention
// CHECK-SAME: outs(%{{.*}} : tensor<1x?x1x32xf32>)
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @attention(%q: memref<?x?x12x32xf32>, %o: memref<?x?x12x32xf32>) attributes {weft.kernel = "attention"} {
  %tq = bufferization.to_tensor %q restrict : memref<?x?x12x32xf32> to tensor<?x?x12x32xf32>
  %to = bufferization.to_tensor %o restrict writable : memref<?x?x12x32xf32> to tensor<?x?x12x32xf32>
  %r = weft.attention {scale = 1.0 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%tq, %tq, %tq : tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>, tensor<?x?x12x32xf32>) outs(%to : tensor<?x?x12x32xf32>) -> tensor<?x?x12x32xf32>
  bufferization.materialize_in_destination %r in restrict writable %o : (tensor<?x?x12x32xf32>, memref<?x?x12x32xf32>) -> ()
  return
}
}

// -----

// Row-wise ops: a row an item, and what feeds it in the same item.
// CHECK-LABEL: @residual_and_norm
// CHECK: scf.forall (%{{.*}}) in (%{{.*}})
// CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8xf32>)
// CHECK: weft.layer_norm {{.*}} ins(%[[S]], %{{.*}} : tensor<1x8xf32>, tensor<8xf32>)
// CHECK: {weft.item_cost = 2 : i64}
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @residual_and_norm(%x: memref<?x8xf32>, %n: index, %s: memref<8xf32>, %y: memref<?x8xf32>) attributes {weft.kernel = "norm"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %ts = bufferization.to_tensor %s restrict : memref<8xf32> to tensor<8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x8xf32> to tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%tx : tensor<?x8xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = arith.addf %a, %a : f32
    linalg.yield %t : f32
  } -> tensor<?x8xf32>
  %r = weft.layer_norm {epsilon = 0.0 : f32} ins(%h, %ts : tensor<?x8xf32>, tensor<8xf32>) outs(%ty : tensor<?x8xf32>) -> tensor<?x8xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}
}

// -----

// Few queries: the query heads that share a head of the keys are one item; where a token's heads lie side by side, all
// heads are.
// CHECK-LABEL: @decode_heads_first
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]]) = (0, 0) to (%{{.*}}, 32) step (1, 4)
// CHECK: outs(%{{.*}} : tensor<1x4x1x64xf32>)
// CHECK-LABEL: @decode_sequence_first
// CHECK: scf.forall (%{{.*}}) in (%{{.*}})
// CHECK: outs(%{{.*}} : tensor<1x1x32x64xf32>)
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @decode_heads_first(%q: memref<?x32x1x64xf32>, %k: memref<?x8x?x64xf32>, %o: memref<?x32x1x64xf32>) attributes {weft.kernel = "attention"} {
  %tq = bufferization.to_tensor %q restrict : memref<?x32x1x64xf32> to tensor<?x32x1x64xf32>
  %tk = bufferization.to_tensor %k restrict : memref<?x8x?x64xf32> to tensor<?x8x?x64xf32>
  %to = bufferization.to_tensor %o restrict writable : memref<?x32x1x64xf32> to tensor<?x32x1x64xf32>
  %r = weft.attention {scale = 1.0 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>]}
       ins(%tq, %tk, %tk : tensor<?x32x1x64xf32>, tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>) outs(%to : tensor<?x32x1x64xf32>) -> tensor<?x32x1x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %o : (tensor<?x32x1x64xf32>, memref<?x32x1x64xf32>) -> ()
  return
}

func.func private @decode_sequence_first(%q: memref<?x1x32x64xf32>, %k: memref<?x?x8x64xf32>, %o: memref<?x1x32x64xf32>) attributes {weft.kernel = "attention"} {
  %tq = bufferization.to_tensor %q restrict : memref<?x1x32x64xf32> to tensor<?x1x32x64xf32>
  %tk = bufferization.to_tensor %k restrict : memref<?x?x8x64xf32> to tensor<?x?x8x64xf32>
  %to = bufferization.to_tensor %o restrict writable : memref<?x1x32x64xf32> to tensor<?x1x32x64xf32>
  %r = weft.attention {scale = 1.0 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%tq, %tk, %tk : tensor<?x1x32x64xf32>, tensor<?x?x8x64xf32>, tensor<?x?x8x64xf32>) outs(%to : tensor<?x1x32x64xf32>) -> tensor<?x1x32x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %o : (tensor<?x1x32x64xf32>, memref<?x1x32x64xf32>) -> ()
  return
}
}
