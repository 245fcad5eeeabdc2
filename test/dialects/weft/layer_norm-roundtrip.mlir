// RUN: weft-opt %s --split-input-file --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @scale_and_bias
// CHECK: weft.layer_norm {epsilon = {{.*}} : f32} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%{{.*}} : tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @scale_and_bias(%x: tensor<?x8xf32>, %scale: tensor<8xf32>, %bias: tensor<8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = weft.layer_norm {epsilon = 1.0e-12 : f32} ins(%x, %scale, %bias : tensor<?x8xf32>, tensor<8xf32>, tensor<8xf32>)
                       outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: @without_bias
// CHECK: ins(%{{.*}}, %{{.*}} : tensor<2x?x?xbf16>, tensor<?xf32>)
func.func @without_bias(%x: tensor<2x?x?xbf16>, %scale: tensor<?xf32>, %init: tensor<2x?x?xbf16>) -> tensor<2x?x?xbf16> {
  %y = weft.layer_norm {epsilon = 0.0 : f32} ins(%x, %scale : tensor<2x?x?xbf16>, tensor<?xf32>)
                       outs(%init : tensor<2x?x?xbf16>) -> tensor<2x?x?xbf16>
  return %y : tensor<2x?x?xbf16>
}

// -----

// CHECK-LABEL: @memrefs
// CHECK: outs(%{{.*}} : memref<?x8xf32, strided<[?, 1]>>){{$}}
func.func @memrefs(%x: memref<?x8xf32>, %scale: memref<8xf32>, %init: memref<?x8xf32, strided<[?, 1]>>) {
  weft.layer_norm {epsilon = 1.0e-5 : f32} ins(%x, %scale : memref<?x8xf32>, memref<8xf32>)
                  outs(%init : memref<?x8xf32, strided<[?, 1]>>)
  return
}
