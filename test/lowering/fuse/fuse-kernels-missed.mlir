// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --remarks-filter-missed=weft-fuse-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: @negative_read_outside
// CHECK-COUNT-2: weft.kernel
func.func @negative_read_outside(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}, tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  // expected-remark@+1 {{its result is read outside the kernel too}}
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%h, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %h, %y : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>

// CHECK-LABEL: @negative_attention
// CHECK-COUNT-3: weft.kernel
func.func @negative_attention(%x: tensor<2x2x3x4xf32>) -> tensor<2x2x3x4xf32> attributes {weft.entry} {
  %scale = weft.parameter "scale" : tensor<4xf32>
  %empty = tensor.empty() : tensor<2x2x3x4xf32>
  // expected-remark@+1 {{attention is a kernel of its own}}
  %q = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<2x2x3x4xf32>, tensor<4xf32>) outs(%empty : tensor<2x2x3x4xf32>) -> tensor<2x2x3x4xf32>
  // expected-remark@+1 {{attention is a kernel of its own}}
  %a = weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
       ins(%q, %x, %x : tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32>, tensor<2x2x3x4xf32>) outs(%empty : tensor<2x2x3x4xf32>) -> tensor<2x2x3x4xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%a, %scale : tensor<2x2x3x4xf32>, tensor<4xf32>) outs(%empty : tensor<2x2x3x4xf32>) -> tensor<2x2x3x4xf32>
  return %y : tensor<2x2x3x4xf32>
}

// -----

// CHECK-LABEL: @negative_product_after_and_before_norm
// CHECK-COUNT-3: weft.kernel
func.func @negative_product_after_and_before_norm(%x: tensor<?x16xf32> {weft.dims = ["n", ""]}) -> (tensor<?x16xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x16x16xf32>
  %scale = weft.parameter "scale" : tensor<16xf32>
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  // expected-remark@+1 {{a product reads its left operand many times}}
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<?x16xf32>, tensor<16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  // expected-remark@+1 {{only elementwise ops on the product's own shape can be its epilogue}}
  %p = weft.packed_matmul ins(%h, %w : tensor<?x16xf32>, tensor<1x16x16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%p, %scale : tensor<?x16xf32>, tensor<16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#first = affine_map<(m, n) -> (m)>

// CHECK-LABEL: @negative_reduction
// CHECK-COUNT-3: weft.kernel
func.func @negative_reduction(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %zero = arith.constant 0.0 : f32
  %whole = tensor.empty(%n) : tensor<?x8xf32>
  %column = tensor.empty(%n) : tensor<?xf32>
  // expected-remark@+1 {{the reader goes over an extent that a scratch cannot hold}}
  %squares = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<?x8xf32>) outs(%whole : tensor<?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %square = arith.mulf %a, %a : f32
    linalg.yield %square : f32
  } -> tensor<?x8xf32>
  %start = linalg.fill ins(%zero : f32) outs(%column : tensor<?xf32>) -> tensor<?xf32>
  // expected-remark@+1 {{a reduction's result is kept}}
  %norms = linalg.generic {indexing_maps = [#id, #first], iterator_types = ["parallel", "reduction"]} ins(%squares : tensor<?x8xf32>) outs(%start : tensor<?xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %s = arith.addf %a, %acc : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %norms : tensor<?x8xf32>, tensor<?xf32>) outs(%whole : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>

// CHECK-LABEL: @negative_other_order
// CHECK-COUNT-2: weft.kernel
func.func @negative_other_order(%x: tensor<8x8xf32>) -> tensor<4x4xf32> attributes {weft.entry} {
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty() : tensor<8x8xf32>
  %quarter = tensor.empty() : tensor<4x4xf32>
  // expected-remark@+1 {{the reader wants the elements in another order}}
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<8x8xf32>, tensor<8xf32>) outs(%empty : tensor<8x8xf32>) -> tensor<8x8xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (2 * m, 2 * n)>, #id], iterator_types = ["parallel", "parallel"]}
       ins(%h : tensor<8x8xf32>) outs(%quarter : tensor<4x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>

// The product's epilogue reads the norm too; the product needs whole rows of it for each of its columns.
// CHECK-LABEL: @negative_read_by_a_product_too
// CHECK: weft.kernel "norm"
// CHECK: weft.kernel "linear"
func.func @negative_read_by_a_product_too(%x: tensor<4x16xf32>) -> tensor<4x16xf32> attributes {weft.entry} {
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x16x16xf32>
  %scale = weft.parameter "scale" : tensor<16xf32>
  %empty = tensor.empty() : tensor<4x16xf32>
  // expected-remark@+1 {{a product reads its left operand many times}}
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<4x16xf32>, tensor<16xf32>) outs(%empty : tensor<4x16xf32>) -> tensor<4x16xf32>
  %p = weft.packed_matmul ins(%h, %w : tensor<4x16xf32>, tensor<1x16x16xf32>) outs(%empty : tensor<4x16xf32>) -> tensor<4x16xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%p, %h : tensor<4x16xf32>, tensor<4x16xf32>) outs(%empty : tensor<4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

// Two kernels read it: one remark.
// CHECK-LABEL: @negative_two_readers
// CHECK-COUNT-3: weft.kernel
func.func @negative_two_readers(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}, tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  // expected-remark@+1 {{its result is read outside the kernel too}}
  %h = weft.rms_norm {epsilon = 0.5 : f32} ins(%x : tensor<?x8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%h, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %z = weft.layer_norm {epsilon = 1.0 : f32} ins(%h, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x8xf32>
}
