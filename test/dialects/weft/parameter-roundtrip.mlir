// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @by_name
// CHECK: weft.parameter "encoder.dense.weight" : tensor<8x4xf32>
func.func @by_name() -> tensor<8x4xf32> {
  %w = weft.parameter "encoder.dense.weight" : tensor<8x4xf32>
  return %w : tensor<8x4xf32>
}

// CHECK-LABEL: @merged_and_packed
// CHECK: weft.parameter "qk" sources(["q.weight", "k.weight"]) layout(<width = 16, out_by_in = true>) : memref<1x4x16xf32>
func.func @merged_and_packed() -> memref<1x4x16xf32> {
  %w = weft.parameter "qk" sources(["q.weight", "k.weight"]) layout(#weft.panels<width = 16, out_by_in = true>) : memref<1x4x16xf32>
  return %w : memref<1x4x16xf32>
}
