// Both estimates for an op that joins its reader.

// RUN: weft-opt %s --weft-fuse-kernels --remarks-filter-analyse=weft-fuse-kernels --remark-format=emitRemark 2>&1 | FileCheck %s
// CHECK: remark: [Analysis] shared-kernel
// CHECK-SAME: in its reader's kernel: 768 cycles, apart: 768 (estimated for v3)
func.func @row_for_row(%x: tensor<?x8xf32> {weft.dims = ["n", ""]}) -> (tensor<?x8xf32> {weft.dims = ["n", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %scale = weft.parameter "scale" : tensor<8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %h = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%h, %scale : tensor<?x8xf32>, tensor<8xf32>) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
