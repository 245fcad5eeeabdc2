// RUN: weft-opt %s --split-input-file --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
func.func @attention_c1(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{needs an indexing map for each of its 4 operands, has 3}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c2(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of query must map (b, h, i, j, d, e) to 4 indices, is affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d4)>}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [affine_map<(b, h, i, j, d, e) -> (b, i, d)>, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c3(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of key must consist of dimensions and of h floordiv a positive group}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, affine_map<(b, h, i, j, d, e) -> (b, h mod 2, j, d)>, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c4(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of query must index once each all of bhid and nothing else}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [affine_map<(b, h, i, j, d, e) -> (b, h, i, i)>, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c5(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x3x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of key must index once each all of jd, is}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #q, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c6(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x4x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of value must index once each all of je, is}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, affine_map<(b, h, i, j, d, e) -> (b, h, e, d)>, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x4x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c7(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %x: tensor<1x4xi64>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{indexing map of an extra operand must index once each some of bhij, is}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, d)>, #o]}
    ins(%q, %k, %v, %x : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<1x4xi64>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
func.func @attention_c8(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x1x3x4xf32>) {
  // expected-error@+1 {{indexing map of output must index once each all of bhie and nothing else}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, i, e)>]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x1x3x4xf32>) -> tensor<1x1x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c9(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>, %l: tensor<1x2x5xf32>) {
  // expected-error@+1 {{indexing map of lse must index once each all of bhi and nothing else}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o, affine_map<(b, h, i, j, d, e) -> (b, h, j)>]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o, %l : tensor<1x2x3x4xf32>, tensor<1x2x5xf32>) -> tensor<1x2x3x4xf32>, tensor<1x2x5xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c10(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x6x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{dimension j of value must be 5 as in another operand, is 6}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x6x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
func.func @attention_c10_groups(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>, %v: tensor<1x2x5x4xf32>, %o: tensor<1x2x3x4xf32>) {
  // expected-error@+1 {{dimension h of key must be 1 as in another operand, is 2}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, affine_map<(b, h, i, j, d, e) -> (b, h floordiv 2, j, d)>, #v, #o]}
    ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) outs(%o : tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return
}
