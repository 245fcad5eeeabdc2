// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// The example of SequenceOps.td.
// CHECK-LABEL: func @silu_and_state(
// CHECK: weft.causal_conv ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x?x32xf32>, tensor<32x4xf32>, tensor<32xf32>) reset(%{{.*}} : tensor<?x?xi8>) outs(%{{.*}} : tensor<?x?x32xf32>) state(%{{.*}} : tensor<?x3x32xf32>) output {
// CHECK: weft.yield %{{.*}} : f32
// CHECK: } -> tensor<?x?x32xf32>, tensor<?x3x32xf32>
func.func @silu_and_state(%x: tensor<?x?x32xf32>, %w: tensor<32x4xf32>, %bias: tensor<32xf32>, %starts: tensor<?x?xi8>,
                          %init: tensor<?x?x32xf32>, %state: tensor<?x3x32xf32>) -> (tensor<?x?x32xf32>, tensor<?x3x32xf32>) {
  %y, %s = weft.causal_conv ins(%x, %w, %bias : tensor<?x?x32xf32>, tensor<32x4xf32>, tensor<32xf32>)
           reset(%starts : tensor<?x?xi8>) outs(%init : tensor<?x?x32xf32>) state(%state : tensor<?x3x32xf32>)
           output {
           ^bb0(%sum: f32):
             %one = arith.constant 1.0 : f32
             %minus = arith.negf %sum : f32
             %exp = math.exp %minus : f32
             %divisor = arith.addf %exp, %one : f32
             %silu = arith.divf %sum, %divisor : f32
             weft.yield %silu : f32
           } -> tensor<?x?x32xf32>, tensor<?x3x32xf32>
  return %y, %s : tensor<?x?x32xf32>, tensor<?x3x32xf32>
}

// CHECK-LABEL: func @plain(
// CHECK: weft.causal_conv {reverse} ins(%{{.*}}, %{{.*}} : tensor<1x?x8xbf16>, tensor<8x2xbf16>) outs(%{{.*}} : tensor<1x?x8xbf16>) -> tensor<1x?x8xbf16>
func.func @plain(%x: tensor<1x?x8xbf16>, %w: tensor<8x2xbf16>, %init: tensor<1x?x8xbf16>) -> tensor<1x?x8xbf16> {
  %y = weft.causal_conv {reverse} ins(%x, %w : tensor<1x?x8xbf16>, tensor<8x2xbf16>) outs(%init : tensor<1x?x8xbf16>) -> tensor<1x?x8xbf16>
  return %y : tensor<1x?x8xbf16>
}

// A part of the steps, on memrefs, times a gate.
// CHECK-LABEL: func @part(
// CHECK: weft.causal_conv {extra_maps = [#{{.*}}]} ins(%{{.*}}, %{{.*}} : memref<2x9x8xf32>, memref<8x4xf32>) extras(%{{.*}} : memref<2x5x8xf32>) from(%{{.*}}) outs(%{{.*}} : memref<2x5x8xf32>) output {
func.func @part(%x: memref<2x9x8xf32>, %w: memref<8x4xf32>, %gate: memref<2x5x8xf32>, %first: index, %init: memref<2x5x8xf32>) {
  weft.causal_conv {extra_maps = [affine_map<(b, t, d) -> (b, t, d)>]} ins(%x, %w : memref<2x9x8xf32>, memref<8x4xf32>)
    extras(%gate : memref<2x5x8xf32>) from(%first) outs(%init : memref<2x5x8xf32>)
    output {
    ^bb0(%sum: f32, %g: f32):
      %y = arith.mulf %sum, %g : f32
      weft.yield %y : f32
    }
  return
}
