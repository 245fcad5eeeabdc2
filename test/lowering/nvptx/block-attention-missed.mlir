// Attention that a block of threads does not compute, and why.
// RUN: weft-opt %s --split-input-file --weft-block-attention --remarks-filter-missed=weft-block-attention --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#target = #weft.target<isa = "sm_86", lanes = 16, registers = 32, cpu = "sm_86", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#t = affine_map<(b, h, i, j, d, e) -> (b, h, d, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #target} {
// CHECK-LABEL: @negative_shared_memory
// CHECK: weft.attention
// expected-remark@+1 {{attention is computed on lanes, not on matrix units: the target's shared memory does not hold queries, keys and values of its heads}}
func.func private @negative_shared_memory(%q: memref<1x1x40x256xf32>, %k: memref<1x1x?x256xf32>, %v: memref<1x1x?x256xf32>, %o: memref<1x1x40x256xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x256xf32>, memref<1x1x?x256xf32>, memref<1x1x?x256xf32>) outs(%o : memref<1x1x40x256xf32>)
  return
}

// CHECK-LABEL: @negative_bytes
// CHECK: weft.attention
// expected-remark@+1 {{queries, keys, values or the output hold other numbers than f32, bf16 and f16}}
func.func private @negative_bytes(%q: memref<1x1x40x64xf32>, %k: memref<1x1x?x64xi8>, %v: memref<1x1x?x64xi8>, %o: memref<1x1x40x64xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x64xf32>, memref<1x1x?x64xi8>, memref<1x1x?x64xi8>) outs(%o : memref<1x1x40x64xf32>)
  return
}

// CHECK-LABEL: @negative_transposed_keys
// CHECK: weft.attention
// expected-remark@+1 {{a query, a key, a value or a result does not lie in one piece}}
func.func private @negative_transposed_keys(%q: memref<1x1x40x64xf32>, %k: memref<1x1x64x?xf32>, %v: memref<1x1x?x64xf32>, %o: memref<1x1x40x64xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #t, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x64xf32>, memref<1x1x64x?xf32>, memref<1x1x?x64xf32>) outs(%o : memref<1x1x40x64xf32>)
  return
}

// More queries than a block has, in one item.
// CHECK-LABEL: @negative_large_item
// CHECK: weft.attention
// expected-remark@+1 {{its items are more than a block of queries of a head}}
func.func private @negative_large_item(%q: memref<1x1x65x64xf32>, %k: memref<1x1x?x64xf32>, %v: memref<1x1x?x64xf32>, %o: memref<1x1x65x64xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x65x64xf32>, memref<1x1x?x64xf32>, memref<1x1x?x64xf32>) outs(%o : memref<1x1x65x64xf32>)
  return
}
}
