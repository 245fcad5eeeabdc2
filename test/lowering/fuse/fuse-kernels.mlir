// RUN: weft-opt %s --weft-fuse-kernels --canonicalize | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>

// CHECK-LABEL: @residual_and_norm
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<?x8xf32> {{.*}}, %[[R:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]]
// CHECK: %[[SCALE:.*]] = weft.parameter "scale"
// CHECK: %[[DEST:.*]] = tensor.empty(%[[N]])
// CHECK-NOT: linalg.generic
// CHECK: %[[Y:.*]] = weft.kernel "norm"(%[[X]], %[[R]], %[[N]], %[[SCALE]], %[[DEST]] :
// CHECK: %[[OUT:[^ ]*]]: tensor<?x8xf32>):
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK: weft.layer_norm {{.*}} ins(%[[SUM]], {{.*}} outs(%[[OUT]] : tensor<?x8xf32>)
// CHECK: return %[[Y]]
func.func @residual_and_norm(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}, %r: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
       ins(%x, %r : tensor<?x8xf32>, tensor<?x8xf32>) outs(%empty : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%s, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// CHECK-LABEL: @activation_is_epilogue
// CHECK: weft.kernel "linear"
// CHECK: %[[P:.*]] = weft.packed_matmul
// CHECK: linalg.generic {{.*}} ins(%[[P]] :
// CHECK: weft.yield
// CHECK-NOT: weft.kernel
func.func @activation_is_epilogue(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x16xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %w = weft.parameter "w" layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x8x16xf32>
  %empty = tensor.empty(%n) : tensor<?x16xf32>
  %p = weft.packed_matmul ins(%x, %w : tensor<?x8xf32>, tensor<1x8x16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<?x16xf32>) outs(%empty : tensor<?x16xf32>) {
  ^bb0(%a: f32, %out: f32):
    %e = math.erf %a : f32
    linalg.yield %e : f32
  } -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// Views are repeated in each reader; nothing is copied for them.
// CHECK-LABEL: @attention_alone
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<?x?x24xf32>
// CHECK: weft.kernel "attention"({{.*}}%[[X]]
// CHECK-COUNT-3: tensor.extract_slice
// CHECK: weft.attention
// CHECK: weft.yield
func.func @attention_alone(%qkv: tensor<?x?x24xf32> {weft.dims = ["b", "s", ""]}) -> (tensor<?x?x2x4xf32> {weft.dims = ["b", "s", "", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %qkv, %c0 : tensor<?x?x24xf32>
  %s = tensor.dim %qkv, %c1 : tensor<?x?x24xf32>
  %n = arith.muli %b, %s : index
  %x = tensor.collapse_shape %qkv [[0, 1], [2]] : tensor<?x?x24xf32> into tensor<?x24xf32>
  %0 = tensor.extract_slice %x[0, 0] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %1 = tensor.extract_slice %x[0, 8] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %2 = tensor.extract_slice %x[0, 16] [%n, 8] [1, 1] : tensor<?x24xf32> to tensor<?x8xf32>
  %q = tensor.expand_shape %0 [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  %k = tensor.expand_shape %1 [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  %v = tensor.expand_shape %2 [[0, 1], [2, 3]] output_shape [%b, %s, 2, 4] : tensor<?x8xf32> into tensor<?x?x2x4xf32>
  %init = tensor.empty(%b, %s) : tensor<?x?x2x4xf32>
  %o = weft.attention {scale = 0.5 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%q, %k, %v : tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>, tensor<?x?x2x4xf32>)
       outs(%init : tensor<?x?x2x4xf32>) -> tensor<?x?x2x4xf32>
  return %o : tensor<?x?x2x4xf32>
}

// A reduction starts in its destination.
// CHECK-LABEL: @pooled
// CHECK: weft.kernel "reduce"
// CHECK: ^bb0(%{{.*}}: tensor<?x8xf32>, %[[OUT:[^ ]*]]: tensor<8xf32>):
// CHECK: %[[START:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%[[OUT]] : tensor<8xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[START]] : tensor<8xf32>)
func.func @pooled(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> tensor<8xf32> attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<8xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<8xf32>) -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["reduction", "parallel"]} ins(%x : tensor<?x8xf32>) outs(%start : tensor<8xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %s = arith.addf %a, %acc : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// What no kernel computes is copied: a function's results never share memory with its arguments or one another.
// CHECK-LABEL: @result_is_argument
// CHECK-SAME: (%[[X:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK: %[[A:.*]] = weft.kernel "map"(%[[X]],
// CHECK: %[[B:.*]] = weft.kernel "map"(%[[X]],
// CHECK: return %[[A]], %[[B]]
func.func @result_is_argument(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}, tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  return %x, %x : tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: @negative_not_an_entry
// CHECK-NOT: weft.kernel
func.func @negative_not_an_entry(%x: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = linalg.copy ins(%x : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
