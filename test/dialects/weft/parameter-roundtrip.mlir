// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @by_name
// CHECK: weft.parameter "encoder.layer.0.intermediate.dense.weight" : tensor<8x4xf32>
// CHECK: weft.parameter "layer.0.qkv" sources(["q.weight", "k.weight"]) layout(<width = 16, out_by_in = true>) : tensor<1x4x16xf32>
// CHECK: weft.parameter "layer.0.rates" sources(["layer.0.A_log"]) functions(["math.exp", "arith.negf"]) order[1, 0] : tensor<16x8xf32>
func.func @by_name() -> (tensor<8x4xf32>, tensor<1x4x16xf32>, tensor<16x8xf32>) {
  %w = weft.parameter "encoder.layer.0.intermediate.dense.weight" : tensor<8x4xf32>
  %p = weft.parameter "layer.0.qkv" sources(["q.weight", "k.weight"]) layout(#weft.panels<width = 16, out_by_in = true>)
       : tensor<1x4x16xf32>
  %a = weft.parameter "layer.0.rates" sources(["layer.0.A_log"]) functions(["math.exp", "arith.negf"]) order[1, 0]
       : tensor<16x8xf32>
  return %w, %p, %a : tensor<8x4xf32>, tensor<1x4x16xf32>, tensor<16x8xf32>
}

// CHECK-LABEL: @memref
// CHECK: weft.parameter "scale" : memref<8xf32>
func.func @memref() -> memref<8xf32> {
  %w = weft.parameter "scale" : memref<8xf32>
  return %w : memref<8xf32>
}
