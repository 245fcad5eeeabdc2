// RUN: weft-opt %s --split-input-file --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @scale
// CHECK: weft.rms_norm {epsilon = {{.*}} : f32} ins(%{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8xf32>) outs(%{{.*}} : tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @scale(%x: tensor<?x8xf32>, %scale: tensor<8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%x, %scale : tensor<?x8xf32>, tensor<8xf32>)
                     outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: @without_scale
// CHECK: ins(%{{.*}} : tensor<2x?x?xbf16>) outs
func.func @without_scale(%x: tensor<2x?x?xbf16>, %init: tensor<2x?x?xbf16>) -> tensor<2x?x?xbf16> {
  %y = weft.rms_norm {epsilon = 0.0 : f32} ins(%x : tensor<2x?x?xbf16>) outs(%init : tensor<2x?x?xbf16>) -> tensor<2x?x?xbf16>
  return %y : tensor<2x?x?xbf16>
}

// -----

// CHECK-LABEL: @memrefs
// CHECK: outs(%{{.*}} : memref<?x8xf32, strided<[?, 1]>>){{$}}
func.func @memrefs(%x: memref<?x8xf32>, %scale: memref<8xf32>, %init: memref<?x8xf32, strided<[?, 1]>>) {
  weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%x, %scale : memref<?x8xf32>, memref<8xf32>)
                outs(%init : memref<?x8xf32, strided<[?, 1]>>)
  return
}
