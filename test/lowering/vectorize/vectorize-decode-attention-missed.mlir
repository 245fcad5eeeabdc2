// RUN: weft-opt %s --weft-vectorize-decode-attention --remarks-filter-missed="weft-vectorize-decode-attention" --remark-format=emitRemark 2>&1 | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#kt = affine_map<(b, h, i, j, d, e) -> (b, h, d, j)>
#k1 = affine_map<(b, h, i, j, d, e) -> (b, j, d)>
#v1 = affine_map<(b, h, i, j, d, e) -> (b, j, e)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// CHECK: the number of queries is not known: few of them would leave lanes idle
func.func @queries_unknown(%q: memref<1x2x?x8xf32>, %o: memref<1x2x?x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<1x2x?x8xf32>, memref<1x2x?x8xf32>, memref<1x2x?x8xf32>) outs(%o : memref<1x2x?x8xf32>)
  return
}

// CHECK: a key or a value is not contiguous in memory
func.func @keys_transposed(%q: memref<1x2x1x8xf32>, %k: memref<1x2x8x?xf32>, %v: memref<1x2x?x8xf32>, %o: memref<1x2x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #kt, #v, #o]}
    ins(%q, %k, %v : memref<1x2x1x8xf32>, memref<1x2x8x?xf32>, memref<1x2x?x8xf32>) outs(%o : memref<1x2x1x8xf32>)
  return
}

// CHECK: the number of heads that share a key is not known
func.func @heads_unknown(%q: memref<1x?x1x8xf32>, %k: memref<1x?x8xf32>, %o: memref<1x?x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k1, #v1, #o]}
    ins(%q, %k, %k : memref<1x?x1x8xf32>, memref<1x?x8xf32>, memref<1x?x8xf32>) outs(%o : memref<1x?x1x8xf32>)
  return
}

// CHECK: more queries share a key than its kernel holds
func.func @many_heads(%q: memref<1x72x1x8xf32>, %k: memref<1x?x8xf32>, %o: memref<1x72x1x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k1, #v1, #o]}
    ins(%q, %k, %k : memref<1x72x1x8xf32>, memref<1x?x8xf32>, memref<1x?x8xf32>) outs(%o : memref<1x72x1x8xf32>)
  return
}

// Many queries are not decoding: nothing is missed.
// CHECK-NOT: remark
func.func @many_queries(%q: memref<1x2x32x8xf32>, %o: memref<1x2x32x8xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<1x2x32x8xf32>, memref<1x2x32x8xf32>, memref<1x2x32x8xf32>) outs(%o : memref<1x2x32x8xf32>)
  return
}
}
