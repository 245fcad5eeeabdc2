// RUN: weft-opt %s --split-input-file --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c11_integers(%q: tensor<1x2x3x4xi8>, %k: tensor<1x2x5x4xi8>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{or key and value i8, got 'i8'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x2x3x4xi8>, tensor<1x2x5x4xi8>, tensor<1x2x5x4xi8>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c17(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xi8>, %s: tensor<3xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of key_scale must index once each some of bhj, is}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (i)>, #o]}
    ins(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x2x5x4xi8>, tensor<1x2x5x4xi8>) key_scale(%s : tensor<3xf32>)
    outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c18(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xi8>, %s: tensor<5xf16>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{key_scale and value_scale must hold f32, got 'f16'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (j)>, #o]}
    ins(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x2x5x4xi8>, tensor<1x2x5x4xi8>) value_scale(%s : tensor<5xf16>)
    outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (j floordiv 2, b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (j floordiv 4, b, h, i)>
func.func @attention_c19(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %o: tensor<3x1x2x3x4xf32>, %l: tensor<2x1x2x3xf32>) {
  // expected-error@+1 {{output and lse must be indexed by the same splits of the keys}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o, #l]}
    ins(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>)
    outs(%o, %l : tensor<3x1x2x3x4xf32>, tensor<2x1x2x3xf32>) -> tensor<3x1x2x3x4xf32>, tensor<2x1x2x3xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#r = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c20(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{product_type must be bf16, is 'f16'}}
  weft.attention {scale = 1.0 : f32, product_type = f16, indexing_maps = [#q, #k, #v, #r]}
    ins(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>)
    outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (j floordiv 2, b, h, i, e)>
func.func @attention_c10_splits(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %o: tensor<2x1x2x3x4xf32>) {
  // expected-error@+1 {{dimension j of output must be 3 as in another operand, is 2}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>)
    outs(%o : tensor<2x1x2x3x4xf32>) -> tensor<2x1x2x3x4xf32>
  return
}
