// RUN: weft-opt %s --weft-split-attention --remarks-filter-missed="weft-split-attention" --remark-format=emitRemark 2>&1 | FileCheck %s

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>

// CHECK: the keys stay in one piece: only outputs that are rows of f32 are combined from splits
func.func @half(%q: tensor<1x8x1x64xf16>, %k: tensor<1x8x?x64xf16>, %init: tensor<1x8x1x64xf16>) -> tensor<1x8x1x64xf16> {
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %k, %k : tensor<1x8x1x64xf16>, tensor<1x8x?x64xf16>, tensor<1x8x?x64xf16>)
    outs(%init : tensor<1x8x1x64xf16>) -> tensor<1x8x1x64xf16>
  return %o : tensor<1x8x1x64xf16>
}
