// Both estimates for an op that joins its reader, and for one that stays.

// RUN: weft-opt %s --weft-fuse-kernels --remarks-filter-analyse=weft-fuse-kernels --remark-format=emitRemark 2>&1 | FileCheck %s
// RUN: weft-opt %s --weft-fuse-kernels --remarks-filter-missed=weft-fuse-kernels --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=MISSED
// CHECK: remark: [Analysis] shared-kernel
// CHECK-SAME: in its reader's kernel: 1068 cycles, apart: 1368
func.func @row_for_row(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%h, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// What 400 columns need is not computed again for each of 128 rows: two kernels.
// MISSED: remark: [Missed] separate-kernel
// MISSED-SAME: in its reader's kernel: {{[0-9]+}} cycles, apart: {{[0-9]+}}, with elements computed 128 times
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
#vector = affine_map<(n) -> (n)>
func.func @row_vector(%x: tensor<?x400xf32> {weft.dims = ["n", ""]}, %s: tensor<400xf32> {weft.dims = [""]}) -> (tensor<?x400xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x400xf32>
  %few = tensor.empty() : tensor<400xf32>
  %many = tensor.empty(%n) : tensor<?x400xf32>
  %f = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]} ins(%s : tensor<400xf32>) outs(%few : tensor<400xf32>) {
  ^bb0(%a: f32, %out: f32):
    %e = math.erf %a : f32
    linalg.yield %e : f32
  } -> tensor<400xf32>
  %y = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %f : tensor<?x400xf32>, tensor<400xf32>) outs(%many : tensor<?x400xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<?x400xf32>
  return %y : tensor<?x400xf32>
}
