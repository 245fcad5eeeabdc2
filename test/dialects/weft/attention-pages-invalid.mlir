// RUN: weft-opt %s --split-input-file --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c21(%q: tensor<3x2x1x4xf32>, %k: tensor<9x2x8x4xf32>, %t: tensor<3x5xi64>, %o: tensor<3x2x1x4xf32>) {
  // expected-error@+1 {{indexing map of table must index once each all of b, is}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, h)>, #o]}
    ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<9x2x8x4xf32>, tensor<9x2x8x4xf32>) table(%t : tensor<3x5xi64>)
    outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c21_order(%q: tensor<3x2x1x4xf32>, %k: tensor<9x2x8x4xf32>, %t: tensor<5x3xi64>, %o: tensor<3x2x1x4xf32>) {
  // expected-error@+1 {{table must be indexed by (b, j floordiv a page's keys), is by}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (j floordiv 8, b)>, #o]}
    ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<9x2x8x4xf32>, tensor<9x2x8x4xf32>) table(%t : tensor<5x3xi64>)
    outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c22(%q: tensor<3x2x1x4xf32>, %k: tensor<9x2x8x4xf32>, %t: tensor<3x5xf32>, %o: tensor<3x2x1x4xf32>) {
  // expected-error@+1 {{table must hold integers, got 'tensor<3x5xf32>'}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 8)>, #o]}
    ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<9x2x8x4xf32>, tensor<9x2x8x4xf32>) table(%t : tensor<3x5xf32>)
    outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c23(%q: tensor<3x2x1x4xf32>, %k: tensor<9x2x8x4xf32>, %t: tensor<3x5xi64>, %o: tensor<3x2x1x4xf32>) {
  // expected-error@+1 {{key in pages must be indexed by b and by j, with 4 keys in a page}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 4)>, #o]}
    ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<9x2x8x4xf32>, tensor<9x2x8x4xf32>) table(%t : tensor<3x5xi64>)
    outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c23_batch(%q: tensor<3x2x1x4xf32>, %k: tensor<2x8x4xf32>, %t: tensor<3x5xi64>, %o: tensor<3x2x1x4xf32>) {
  // expected-error@+1 {{key in pages must be indexed by b and by j}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, affine_map<(b, h, i, j, d, e) -> (h, j, d)>, affine_map<(b, h, i, j, d, e) -> (h, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, j floordiv 8)>, #o]}
    ins(%q, %k, %k : tensor<3x2x1x4xf32>, tensor<2x8x4xf32>, tensor<2x8x4xf32>) table(%t : tensor<3x5xi64>)
    outs(%o : tensor<3x2x1x4xf32>) -> tensor<3x2x1x4xf32>
  return
}
