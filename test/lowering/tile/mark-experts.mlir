// RUN: weft-opt %s --weft-mark-experts | FileCheck %s

// The weight and the offsets of a product of groups are named; what else the kernel reads is not.
// CHECK-LABEL: func.func private @product(
// CHECK-SAME: %{{[^:]*}}: memref<4x8xf32>, %{{[^:]*}}: memref<2x3x8xf32> {weft.experts = "weight"},
// CHECK-SAME: %{{[^:]*}}: memref<3xi32> {weft.experts = "offsets"}, %{{[^:]*}}: memref<4xi32>, %{{[^:]*}}: memref<4x3xf32>)
func.func private @product(%x: memref<4x8xf32>, %w: memref<2x3x8xf32>, %offsets: memref<3xi32>, %rows: memref<4xi32>,
                           %y: memref<4x3xf32>) attributes {weft.kernel = "experts"} {
  %x_t = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %w_t = bufferization.to_tensor %w restrict : memref<2x3x8xf32> to tensor<2x3x8xf32>
  %o_t = bufferization.to_tensor %offsets restrict : memref<3xi32> to tensor<3xi32>
  %r_t = bufferization.to_tensor %rows restrict : memref<4xi32> to tensor<4xi32>
  %init = bufferization.to_tensor %y restrict writable : memref<4x3xf32> to tensor<4x3xf32>
  %p = weft.grouped_matmul ins(%x_t, %w_t, %o_t : tensor<4x8xf32>, tensor<2x3x8xf32>, tensor<3xi32>)
       rows(%r_t : tensor<4xi32>) outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  bufferization.materialize_in_destination %p in restrict writable %y : (tensor<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// Two products of the same groups: both weights.
// CHECK-LABEL: func.func private @two_products(
// CHECK-SAME: memref<2x3x8xf32> {weft.experts = "weight"}, %{{[^:]*}}: memref<2x3x8xf32> {weft.experts = "weight"},
// CHECK-SAME: memref<3xi32> {weft.experts = "offsets"}
func.func private @two_products(%x: memref<4x8xf32>, %v: memref<2x3x8xf32>, %w: memref<2x3x8xf32>,
                                %offsets: memref<3xi32>, %y: memref<4x3xf32>) attributes {weft.kernel = "experts"} {
  %x_t = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %v_t = bufferization.to_tensor %v restrict : memref<2x3x8xf32> to tensor<2x3x8xf32>
  %w_t = bufferization.to_tensor %w restrict : memref<2x3x8xf32> to tensor<2x3x8xf32>
  %o_t = bufferization.to_tensor %offsets restrict : memref<3xi32> to tensor<3xi32>
  %empty = tensor.empty() : tensor<4x3xf32>
  %p = weft.grouped_matmul ins(%x_t, %v_t, %o_t : tensor<4x8xf32>, tensor<2x3x8xf32>, tensor<3xi32>)
       outs(%empty : tensor<4x3xf32>) -> tensor<4x3xf32>
  %q = weft.grouped_matmul ins(%x_t, %w_t, %o_t : tensor<4x8xf32>, tensor<2x3x8xf32>, tensor<3xi32>)
       outs(%empty : tensor<4x3xf32>) -> tensor<4x3xf32>
  %s = linalg.add ins(%p, %q : tensor<4x3xf32>, tensor<4x3xf32>) outs(%empty : tensor<4x3xf32>) -> tensor<4x3xf32>
  bufferization.materialize_in_destination %s in restrict writable %y : (tensor<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// A weight that the kernel computes is in no file.
// CHECK-LABEL: func.func private @negative_computed_weight(
// CHECK-NOT: "weight"
// CHECK: return
func.func private @negative_computed_weight(%x: memref<4x8xf32>, %w: memref<2x3x8xf32>, %offsets: memref<3xi32>,
                                            %y: memref<4x3xf32>) attributes {weft.kernel = "experts"} {
  %x_t = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %w_t = bufferization.to_tensor %w restrict : memref<2x3x8xf32> to tensor<2x3x8xf32>
  %o_t = bufferization.to_tensor %offsets restrict : memref<3xi32> to tensor<3xi32>
  %room = tensor.empty() : tensor<2x3x8xf32>
  %twice = linalg.add ins(%w_t, %w_t : tensor<2x3x8xf32>, tensor<2x3x8xf32>) outs(%room : tensor<2x3x8xf32>)
           -> tensor<2x3x8xf32>
  %init = bufferization.to_tensor %y restrict writable : memref<4x3xf32> to tensor<4x3xf32>
  %p = weft.grouped_matmul ins(%x_t, %twice, %o_t : tensor<4x8xf32>, tensor<2x3x8xf32>, tensor<3xi32>)
       outs(%init : tensor<4x3xf32>) -> tensor<4x3xf32>
  bufferization.materialize_in_destination %p in restrict writable %y : (tensor<4x3xf32>, memref<4x3xf32>) -> ()
  return
}

// CHECK-LABEL: func.func private @kernel(
// CHECK-SAME: memref<8x8x64x16xf32> {weft.experts = "weight"}, %{{[^:]*}}: memref<9xi32> {weft.experts = "offsets"}
func.func private @kernel(%x: memref<4x64xf32>, %w: memref<8x8x64x16xf32>, %offsets: memref<9xi32>,
                          %y: memref<4x128xf32>) attributes {weft.kernel = "experts"} {
  %x_t = bufferization.to_tensor %x restrict : memref<4x64xf32> to tensor<4x64xf32>
  %w_t = bufferization.to_tensor %w restrict : memref<8x8x64x16xf32> to tensor<8x8x64x16xf32>
  %offsets_t = bufferization.to_tensor %offsets restrict : memref<9xi32> to tensor<9xi32>
  %init = bufferization.to_tensor %y restrict writable : memref<4x128xf32> to tensor<4x128xf32>
  %p = weft.grouped_matmul ins(%x_t, %w_t, %offsets_t : tensor<4x64xf32>, tensor<8x8x64x16xf32>, tensor<9xi32>)
       outs(%init : tensor<4x128xf32>) -> tensor<4x128xf32>
  bufferization.materialize_in_destination %p in restrict writable %y : (tensor<4x128xf32>, memref<4x128xf32>) -> ()
  return
}
