// RUN: weft-opt %s --split-input-file --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c11(%q: tensor<1x2x3x4xf64>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{query, key, value and output must hold floats of at most 32 bits, or key and value i8, got 'f64'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf64>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
func.func @attention_c11_lse(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>, %l: tensor<1x2x3xf16>) {
  // expected-error@+1 {{lse must hold f32, got 'f16'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o, %l : tensor<1x2x3x4xf32>, tensor<1x2x3xf16>) -> tensor<1x2x3x4xf32>, tensor<1x2x3xf16>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c12(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{score region must take}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index):
      weft.yield %s : f32
    } -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c12_yield(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{score region must yield one 'f32'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      weft.yield %j : index
    } -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c13(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %x: tensor<1x5xi64>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{mask region must take}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #p, #o]}
    ins(%q, %k, %v, %x : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<1x5xi64>) outs(%o : tensor<1x2x3x4xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index, %p: i32):
      %t = arith.constant true
      weft.yield %t : i1
    } -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c14(%m: memref<i1>, %q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{mask region must not change memory, has memref.store}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %t = arith.constant true
      memref.store %t, %m[] : memref<i1>
      weft.yield %t : i1
    } -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c15(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{scale must be finite}}
  weft.attention {scale = 0x7F800000 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c16(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: memref<1x2x3x4xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : memref<1x2x3x4xf32>)
  return
}
