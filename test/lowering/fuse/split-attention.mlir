// RUN: weft-opt %s --weft-split-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#qs = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#ks = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>
#vs = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>
#m = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#os = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>

// A split is about a mebibyte of keys and values: 1024 keys of one head.
// CHECK-DAG: #[[PARTS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 1024, d0, d1, d2, d5)>
// CHECK-DAG: #[[LSES:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 1024, d0, d2, d1)>
// CHECK-DAG: #[[COUNT:.*]] = affine_map<()[s0] -> (s0 ceildiv 1024)>
// Where the heads of a token lie side by side, 128 keys of all heads.
// CHECK-DAG: #[[ALL_HEADS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d3 floordiv 128, d0, d2, d1, d5)>

// CHECK-LABEL: @heads_first
// CHECK: %[[SPLITS:.*]] = affine.apply #[[COUNT]]()
// CHECK: %[[P:.*]] = tensor.empty(%[[SPLITS]]) : tensor<?x1x32x1x128xf32>
// CHECK: %[[L:.*]] = tensor.empty(%[[SPLITS]]) : tensor<?x1x1x32xf32>
// CHECK: %[[PARTS_OF:.*]]:2 = weft.attention {{.*}}#[[PARTS]], #[[LSES]]]{{.*}} outs(%[[P]], %[[L]]
// CHECK: %[[MAX:.*]] = linalg.generic {{.*}} ins(%[[PARTS_OF]]#1
// CHECK: arith.maximumf
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%[[PARTS_OF]]#1, %[[MAX]]
// CHECK: math.exp
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[PARTS_OF]]#1, %[[MAX]], %[[SUM]]
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%[[PARTS_OF]]#0, %[[W]]
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @heads_first(%q: tensor<1x32x1x128xf32>, %k: tensor<1x8x?x128xf32>, %v: tensor<1x8x?x128xf32>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x32x1x128xf32>, tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}

// The regions go with the parts; the log-sum-exp of the whole is max + log sum.
// CHECK-LABEL: @sequence_first
// CHECK: weft.attention {{.*}}#[[ALL_HEADS]]
// CHECK: mask {
// CHECK: math.log
func.func @sequence_first(%q: tensor<1x1x32x128xf32>, %k: tensor<1x?x8x128xf32>, %m: tensor<1x?xi64>) -> (tensor<1x1x32x128xf32>, tensor<1x32x1xf32>) {
  %init = tensor.empty() : tensor<1x1x32x128xf32>
  %lse = tensor.empty() : tensor<1x32x1xf32>
  %o:2 = weft.attention {scale = 0.5 : f32, indexing_maps = [#qs, #ks, #vs, #m, #os, #l]}
    ins(%q, %k, %k, %m : tensor<1x1x32x128xf32>, tensor<1x?x8x128xf32>, tensor<1x?x8x128xf32>, tensor<1x?xi64>)
    outs(%init, %lse : tensor<1x1x32x128xf32>, tensor<1x32x1xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i64):
      %zero = arith.constant 0 : i64
      %visible = arith.cmpi ne, %p, %zero : i64
      weft.yield %visible : i1
    } -> tensor<1x1x32x128xf32>, tensor<1x32x1xf32>
  return %o#0, %o#1 : tensor<1x1x32x128xf32>, tensor<1x32x1xf32>
}

// One split is no split.
// CHECK-LABEL: @few_keys
// CHECK-NOT: linalg.generic
func.func @few_keys(%q: tensor<1x32x1x128xf32>, %k: tensor<1x8x1000x128xf32>) -> tensor<1x32x1x128xf32> {
  %init = tensor.empty() : tensor<1x32x1x128xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x32x1x128xf32>, tensor<1x8x1000x128xf32>, tensor<1x8x1000x128xf32>)
    outs(%init : tensor<1x32x1x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}

// Many queries are items enough.
// CHECK-LABEL: @many_queries
// CHECK-NOT: linalg.generic
func.func @many_queries(%q: tensor<1x32x?x128xf32>, %k: tensor<1x8x?x128xf32>, %init: tensor<1x32x?x128xf32>) -> tensor<1x32x?x128xf32> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x32x?x128xf32>, tensor<1x8x?x128xf32>, tensor<1x8x?x128xf32>)
    outs(%init : tensor<1x32x?x128xf32>) -> tensor<1x32x?x128xf32>
  return %o : tensor<1x32x?x128xf32>
}
