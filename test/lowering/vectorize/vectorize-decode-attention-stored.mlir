// RUN: weft-opt %s --split-input-file --weft-vectorize-decode-attention --canonicalize --cse | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#f = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
// bf16 is the upper half of an f32.
// CHECK-LABEL: @bfloat
// CHECK: %[[STORED:.*]] = vector.load %{{.*}} : memref<1x1x?x64xbf16>, vector<8xbf16>
// CHECK: %[[BITS:.*]] = arith.bitcast %[[STORED]] : vector<8xbf16> to vector<8xi16>
// CHECK: %[[WIDE:.*]] = arith.extui %[[BITS]] : vector<8xi16> to vector<8xi32>
// CHECK: arith.shli %[[WIDE]]
// CHECK-NOT: arith.extf
// CHECK-NOT: weft.attention
func.func @bfloat(%q: memref<1x4x1x64xf32>, %k: memref<1x1x?x64xbf16>, %o: memref<1x4x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xbf16>, memref<1x1x?x64xbf16>)
    outs(%o : memref<1x4x1x64xf32>)
  return
}

// f16 has an instruction. Results round to nearest even.
// CHECK-LABEL: @half
// CHECK: arith.extf %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK: arith.truncf %{{.*}} : vector<8xf32> to vector<8xf16>
func.func @half(%q: memref<1x4x1x64xf16>, %k: memref<1x1x?x64xf16>, %o: memref<1x4x1x64xf16>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf16>, memref<1x1x?x64xf16>, memref<1x1x?x64xf16>)
    outs(%o : memref<1x4x1x64xf16>)
  return
}

// The factors are those of keys: read once for all rows of the group, not once an element.
// CHECK-LABEL: @bytes
// CHECK-SAME: %[[K:[^:]*]]: memref<1x1x?x64xi8>, %[[KS:[^:]*]]: memref<1x1x?xf32>, %[[VS:[^:]*]]: memref<1x1x?xf32>
// CHECK: arith.sitofp %{{.*}} : vector<8xi8> to vector<8xf32>
// CHECK: vector.load %[[KS]]{{.*}} vector<2xf32>
// CHECK: arith.mulf
// CHECK: vector.maskedload %[[VS]]{{.*}} vector<2xf32>
func.func @bytes(%q: memref<1x4x1x64xf32>, %k: memref<1x1x?x64xi8>, %ks: memref<1x1x?xf32>, %vs: memref<1x1x?xf32>, %o: memref<1x4x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #f, #f, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xi8>, memref<1x1x?x64xi8>)
    key_scale(%ks : memref<1x1x?xf32>) value_scale(%vs : memref<1x1x?xf32>)
    outs(%o : memref<1x4x1x64xf32>)
  return
}
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = "">} {
// Without the instruction LLVM would call a library: the bits are moved instead.
// CHECK-LABEL: @half_portable
// CHECK-NOT: arith.extf
// CHECK: arith.shli
// CHECK-NOT: arith.truncf
func.func @half_portable(%q: memref<1x4x1x64xf16>, %k: memref<1x4x?x64xf16>, %o: memref<1x4x1x64xf16>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf16>, memref<1x4x?x64xf16>, memref<1x4x?x64xf16>)
    outs(%o : memref<1x4x1x64xf16>)
  return
}
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h floordiv 4, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v4-bf16", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// A level whose processors are bound by arithmetic with 16 bits asks for them in the first-level cache.
// CHECK-LABEL: @near
// CHECK: memref.prefetch {{.*}} locality<3>
// CHECK-NOT: locality<2>
func.func @near(%q: memref<1x4x1x64xf32>, %k: memref<1x1x?x64xbf16>, %o: memref<1x4x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xbf16>, memref<1x1x?x64xbf16>)
    outs(%o : memref<1x4x1x64xf32>)
  return
}

// CHECK-LABEL: @far
// CHECK: memref.prefetch {{.*}} locality<2>
// CHECK-NOT: locality<3>
func.func @far(%q: memref<1x4x1x64xf32>, %k: memref<1x1x?x64xf32>, %o: memref<1x4x1x64xf32>) {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : memref<1x4x1x64xf32>, memref<1x1x?x64xf32>, memref<1x1x?x64xf32>)
    outs(%o : memref<1x4x1x64xf32>)
  return
}
}
