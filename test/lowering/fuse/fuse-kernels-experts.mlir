// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --canonicalize --remarks-filter-missed=weft-fuse-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// The scores of a router are compared where they are made; the sort of tokens is a kernel of its own.
// CHECK-LABEL: func.func @router(
// CHECK: weft.kernel "route"
// CHECK: %[[S:.*]] = weft.packed_matmul
// CHECK: weft.route ins(%[[S]]
// CHECK: weft.kernel "route"
// CHECK-NOT: weft.route
// CHECK: weft.dispatch
func.func @router(%x: tensor<6x8xf32> {weft.dims = ["", ""]}) -> (tensor<12xi32> {weft.dims = [""]}, tensor<12xf32> {weft.dims = [""]}, tensor<5xi32> {weft.dims = [""]}) attributes {weft.entry} {
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<1x8x16xf32>
  %s0 = tensor.empty() : tensor<6x4xf32>
  %s = weft.packed_matmul ins(%x, %w : tensor<6x8xf32>, tensor<1x8x16xf32>) outs(%s0 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %e0 = tensor.empty() : tensor<6x2xi32>
  %w0 = tensor.empty() : tensor<6x2xf32>
  // expected-remark@+1 {{routing takes nothing but the product of its scores}}
  %e, %p = weft.route ins(%s : tensor<6x4xf32>) outs(%e0, %w0 : tensor<6x2xi32>, tensor<6x2xf32>) -> tensor<6x2xi32>, tensor<6x2xf32>
  %t0 = tensor.empty() : tensor<12xi32>
  %p0 = tensor.empty() : tensor<12xf32>
  %o0 = tensor.empty() : tensor<5xi32>
  %t, %q, %o = weft.dispatch ins(%e, %p : tensor<6x2xi32>, tensor<6x2xf32>) outs(%t0, %p0, %o0 : tensor<12xi32>, tensor<12xf32>, tensor<5xi32>) -> tensor<12xi32>, tensor<12xf32>, tensor<5xi32>
  return %t, %q, %o : tensor<12xi32>, tensor<12xf32>, tensor<5xi32>
}

// -----

// What experts make is never stored: it is added to its tokens where it is made.
// CHECK-LABEL: func.func @combined(
// CHECK: weft.kernel "experts"
// CHECK: %[[Y:.*]] = weft.grouped_matmul
// CHECK: weft.combine ins(%[[Y]]
func.func @combined(%x: tensor<12x8xf32> {weft.dims = ["", ""]}, %o: tensor<5xi32> {weft.dims = [""]}, %t: tensor<12xi32> {weft.dims = [""]}, %q: tensor<12xf32> {weft.dims = [""]}) -> (tensor<6x20xf32> {weft.dims = ["", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %w = weft.parameter "w.packed" sources(["w"]) layout(#weft.panels<width = 16, out_by_in = true>) : tensor<4x2x8x16xf32>
  %y0 = tensor.empty() : tensor<12x20xf32>
  %y = weft.grouped_matmul ins(%x, %w, %o : tensor<12x8xf32>, tensor<4x2x8x16xf32>, tensor<5xi32>) outs(%y0 : tensor<12x20xf32>) -> tensor<12x20xf32>
  %i0 = tensor.empty() : tensor<6x20xf32>
  %i = linalg.fill ins(%zero : f32) outs(%i0 : tensor<6x20xf32>) -> tensor<6x20xf32>
  %z = weft.combine ins(%y, %t, %q : tensor<12x20xf32>, tensor<12xi32>, tensor<12xf32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return %z : tensor<6x20xf32>
}

// -----

// Other ops' rows are stored before.
// CHECK-LABEL: func.func @not_a_product(
// CHECK: weft.kernel "map"
// CHECK: weft.kernel "combine"
#id = affine_map<(r, n) -> (r, n)>
func.func @not_a_product(%x: tensor<12x20xf32> {weft.dims = ["", ""]}, %t: tensor<12xi32> {weft.dims = [""]}, %q: tensor<12xf32> {weft.dims = [""]}) -> (tensor<6x20xf32> {weft.dims = ["", ""]}) attributes {weft.entry} {
  %zero = arith.constant 0.0 : f32
  %y0 = tensor.empty() : tensor<12x20xf32>
  // expected-remark@+1 {{a sum over experts takes nothing but their product}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<12x20xf32>) outs(%y0 : tensor<12x20xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.mulf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<12x20xf32>
  %i0 = tensor.empty() : tensor<6x20xf32>
  %i = linalg.fill ins(%zero : f32) outs(%i0 : tensor<6x20xf32>) -> tensor<6x20xf32>
  %z = weft.combine ins(%y, %t, %q : tensor<12x20xf32>, tensor<12xi32>, tensor<12xf32>) outs(%i : tensor<6x20xf32>) -> tensor<6x20xf32>
  return %z : tensor<6x20xf32>
}
