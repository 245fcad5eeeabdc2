// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#tn = affine_map<(b, h, t, n, e) -> (b, t, n)>
#htn = affine_map<(b, h, t, n, e) -> (b, h floordiv 2, t, n)>
#hte = affine_map<(b, h, t, n, e) -> (b, h, t, e)>
#ht = affine_map<(b, h, t, n, e) -> (b, h, t)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
#hne = affine_map<(b, h, t, n, e) -> (b, h, n, e)>

// CHECK-LABEL: func @sum_over_time(
// CHECK: weft.recurrence {{.*}} ins(%{{.*}} : tensor<?x?x8xf32>) outs(%{{.*}} : tensor<?x?x8xf32>) step {
// CHECK: weft.step value(%{{.*}})
// CHECK: } -> tensor<?x?x8xf32>
func.func @sum_over_time(%x: tensor<?x?x8xf32>, %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %y = weft.recurrence {indexing_maps = [#te, #te], reverse} ins(%x : tensor<?x?x8xf32>) outs(%init : tensor<?x?x8xf32>)
       step {
       ^bb0(%v: f32):
         weft.step value(%v)
       } -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// CHECK-LABEL: func @everything(
// CHECK: reset(%{{.*}} : tensor<?x?xi64>) outs({{.*}}) state(%{{.*}} : tensor<?x4x16x8xf32>) step {
// CHECK: weft.step query(%{{.*}}) key(%{{.*}}) value(%{{.*}}) decay(%{{.*}}) low_rank(%{{.*}}, %{{.*}})
// CHECK: output {
// CHECK: weft.yield %{{.*}}, %{{.*}} : f32, bf16
func.func @everything(%qt: tensor<?x2x?x16xbf16>, %kt: tensor<?x2x?x16xf32>, %vt: tensor<?x4x?x8xf32>,
                      %gt: tensor<?x4x?xf32>, %r: tensor<?x?xi64>, %s: tensor<?x4x16x8xf32>,
                      %o: tensor<?x4x?x8xf32>, %p: tensor<?x4x?x8xbf16>) {
  %y:3 = weft.recurrence {indexing_maps = [#htn, #htn, #hte, #ht, #t, #hte, #hte, #hne]}
         ins(%qt, %kt, %vt, %gt : tensor<?x2x?x16xbf16>, tensor<?x2x?x16xf32>, tensor<?x4x?x8xf32>, tensor<?x4x?xf32>)
         reset(%r : tensor<?x?xi64>) outs(%o, %p : tensor<?x4x?x8xf32>, tensor<?x4x?x8xbf16>)
         state(%s : tensor<?x4x16x8xf32>)
         step {
         ^bb0(%qs: bf16, %k: f32, %v: f32, %g: f32):
           %q = arith.extf %qs : bf16 to f32
           %a = arith.mulf %k, %g : f32
           %b = arith.negf %k : f32
           weft.step query(%q) key(%k) value(%v) decay(%g) low_rank(%a, %b)
         } output {
         ^bb0(%sum: f32, %qs: bf16, %ks: f32, %vs: f32, %gs: f32):
           %half = arith.truncf %vs : f32 to bf16
           weft.yield %sum, %half : f32, bf16
         } -> tensor<?x4x?x8xf32>, tensor<?x4x?x8xbf16>, tensor<?x4x16x8xf32>
  return
}

// CHECK-LABEL: func @complex_memref(
// CHECK: weft.step key(%{{.*}}) value(%{{.*}}) decay(%{{.*}}, %{{.*}})
func.func @complex_memref(%x: memref<?x?x8xf32>, %re: memref<8x16xf32>, %im: memref<8x16xf32>, %init: memref<?x?x8xf32>,
                          %sr: memref<?x16x8xf32>, %si: memref<?x16x8xf32>) {
  weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (e, n)>, affine_map<(b, h, t, n, e) -> (e, n)>,
                                    #te, affine_map<(b, h, t, n, e) -> (b, n, e)>, affine_map<(b, h, t, n, e) -> (b, n, e)>]}
    ins(%x, %re, %im : memref<?x?x8xf32>, memref<8x16xf32>, memref<8x16xf32>) outs(%init : memref<?x?x8xf32>)
    state(%sr, %si : memref<?x16x8xf32>, memref<?x16x8xf32>)
    step {
    ^bb0(%v: f32, %r: f32, %i: f32):
      weft.step key(%r) value(%v) decay(%r, %i)
    }
  return
}

// CHECK-LABEL: func @mamba(
// CHECK: weft.step query(%{{.*}}) key(%{{.*}}) value(%{{.*}}) decay(%{{.*}})
func.func @mamba(%x: tensor<?x?x32xf32>, %dt: tensor<?x?x32xf32>, %rate: tensor<16x32xf32>, %key: tensor<?x?x16xf32>,
                 %query: tensor<?x?x16xf32>, %z: tensor<?x?x32xf32>, %init: tensor<?x?x32xf32>,
                 %state: tensor<?x16x32xf32>) {
  %y, %s = weft.recurrence {indexing_maps = [
             affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, e)>,
             affine_map<(b, h, t, n, e) -> (n, e)>, affine_map<(b, h, t, n, e) -> (b, t, n)>,
             affine_map<(b, h, t, n, e) -> (b, t, n)>, affine_map<(b, h, t, n, e) -> (b, t, e)>,
             affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, n, e)>]}
           ins(%x, %dt, %rate, %key, %query, %z : tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<16x32xf32>,
               tensor<?x?x16xf32>, tensor<?x?x16xf32>, tensor<?x?x32xf32>)
           outs(%init : tensor<?x?x32xf32>) state(%state : tensor<?x16x32xf32>)
           step {
           ^bb0(%xs: f32, %dts: f32, %a: f32, %k: f32, %q: f32, %zs: f32):
             %log = arith.mulf %dts, %a : f32
             %decay = math.exp %log : f32
             %value = arith.mulf %dts, %xs : f32
             weft.step query(%q) key(%k) value(%value) decay(%decay)
           } output {
           ^bb0(%o: f32, %xs: f32, %dts: f32, %a: f32, %k: f32, %q: f32, %zs: f32):
             %gated = arith.mulf %o, %zs : f32
             weft.yield %gated : f32
           } -> tensor<?x?x32xf32>, tensor<?x16x32xf32>
  return
}
