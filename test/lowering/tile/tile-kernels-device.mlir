// On a GPU a product with a half-precision weight in panels of one column is cut into blocks of 128 rows, and 64 columns or,
// for warp groups of Hopper, as many as pad least.
// RUN: weft-opt %s --split-input-file --weft-tile-kernels --remarks-filter-missed=weft-tile-kernels --remark-format=emitRemark --verify-diagnostics | FileCheck %s

#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: @block
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (%{{.*}}, 200) step (128, 256)
// CHECK: weft.packed_matmul
// CHECK: linalg.generic
// CHECK: weft.first_fastest
func.func private @block(%x: memref<?x24xf32>, %w: memref<200x12x2xbf16>, %z: memref<?x200xf32>, %y: memref<?x200xf32>) attributes {weft.kernel = "linear"} {
  %c0 = arith.constant 0 : index
  %tx = bufferization.to_tensor %x restrict : memref<?x24xf32> to tensor<?x24xf32>
  %tw = bufferization.to_tensor %w restrict : memref<200x12x2xbf16> to tensor<200x12x2xbf16>
  %tz = bufferization.to_tensor %z restrict : memref<?x200xf32> to tensor<?x200xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x200xf32> to tensor<?x200xf32>
  %m = memref.dim %x, %c0 : memref<?x24xf32>
  %empty = tensor.empty(%m) : tensor<?x200xf32>
  %p = weft.packed_matmul ins(%tx, %tw : tensor<?x24xf32>, tensor<200x12x2xbf16>) outs(%empty : tensor<?x200xf32>) -> tensor<?x200xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%p, %tz : tensor<?x200xf32>, tensor<?x200xf32>) outs(%ty : tensor<?x200xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x200xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x200xf32>, memref<?x200xf32>) -> ()
  return
}
}

// -----
// What a block does not compute becomes what it means.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: @negative_half_rows
// CHECK-NOT: weft.packed_matmul
// CHECK: linalg.generic
func.func private @negative_half_rows(%x: memref<4x24xbf16>, %w: memref<20x12x2xbf16>, %y: memref<4x20xf32>) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<4x24xbf16> to tensor<4x24xbf16>
  %tw = bufferization.to_tensor %w restrict : memref<20x12x2xbf16> to tensor<20x12x2xbf16>
  %ty = bufferization.to_tensor %y restrict writable : memref<4x20xf32> to tensor<4x20xf32>
  // expected-remark@+1 {{no product for matrix units: rows and sums are not f32}}
  %r = weft.packed_matmul ins(%tx, %tw : tensor<4x24xbf16>, tensor<20x12x2xbf16>) outs(%ty : tensor<4x20xf32>) -> tensor<4x20xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<4x20xf32>, memref<4x20xf32>) -> ()
  return
}

// CHECK-LABEL: @negative_other_op
// CHECK-NOT: weft.packed_matmul
func.func private @negative_other_op(%x: memref<4x24xf32>, %w: memref<20x12x2xbf16>, %g: memref<20xf32>, %y: memref<4x20xf32>) attributes {weft.kernel = "norm"} {
  %tx = bufferization.to_tensor %x restrict : memref<4x24xf32> to tensor<4x24xf32>
  %tw = bufferization.to_tensor %w restrict : memref<20x12x2xbf16> to tensor<20x12x2xbf16>
  %tg = bufferization.to_tensor %g restrict : memref<20xf32> to tensor<20xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<4x20xf32> to tensor<4x20xf32>
  %empty = tensor.empty() : tensor<4x20xf32>
  // expected-remark@+1 {{no product for matrix units: its kernel holds more than the product and one elementwise op}}
  %p = weft.packed_matmul ins(%tx, %tw : tensor<4x24xf32>, tensor<20x12x2xbf16>) outs(%empty : tensor<4x20xf32>) -> tensor<4x20xf32>
  %r = weft.rms_norm {epsilon = 1.0e-5 : f32} ins(%p, %tg : tensor<4x20xf32>, tensor<20xf32>) outs(%ty : tensor<4x20xf32>) -> tensor<4x20xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<4x20xf32>, memref<4x20xf32>) -> ()
  return
}
}

// -----
// A token's elements are cut along its row, and so finely that one token keeps many threads busy.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: @elements
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (%{{.*}}, 4096) step (1, 128)
func.func private @elements(%x: memref<?x4096xf32>, %y: memref<?x4096xf32>) attributes {weft.kernel = "map"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x4096xf32> to tensor<?x4096xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x4096xf32> to tensor<?x4096xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%tx : tensor<?x4096xf32>) outs(%ty : tensor<?x4096xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x4096xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x4096xf32>, memref<?x4096xf32>) -> ()
  return
}
}

// -----
// Attention of many queries: 64 of one head for a block of threads; keys in bytes stay with lanes, and fewer queries.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #target} {
// CHECK-LABEL: @attention
// CHECK: scf.forall {{.*}} step (1, 1, 64)
func.func private @attention(%q: memref<?x4x?x64xf32>, %k: memref<?x4x?x64xf32>, %v: memref<?x4x?x64xf32>, %o: memref<?x4x?x64xf32>) attributes {weft.kernel = "attention"} {
  %tq = bufferization.to_tensor %q restrict : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %tk = bufferization.to_tensor %k restrict : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %tv = bufferization.to_tensor %v restrict : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %to = bufferization.to_tensor %o restrict writable : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %r = weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%tq, %tk, %tv : tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>) outs(%to : tensor<?x4x?x64xf32>) -> tensor<?x4x?x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %o : (tensor<?x4x?x64xf32>, memref<?x4x?x64xf32>) -> ()
  return
}

// CHECK-LABEL: @negative_bytes
// CHECK: scf.forall {{.*}} step (1, 1, 32)
func.func private @negative_bytes(%q: memref<?x4x?x64xf32>, %k: memref<?x4x?x64xi8>, %v: memref<?x4x?x64xi8>, %o: memref<?x4x?x64xf32>) attributes {weft.kernel = "attention"} {
  %tq = bufferization.to_tensor %q restrict : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %tk = bufferization.to_tensor %k restrict : memref<?x4x?x64xi8> to tensor<?x4x?x64xi8>
  %tv = bufferization.to_tensor %v restrict : memref<?x4x?x64xi8> to tensor<?x4x?x64xi8>
  %to = bufferization.to_tensor %o restrict writable : memref<?x4x?x64xf32> to tensor<?x4x?x64xf32>
  %r = weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%tq, %tk, %tv : tensor<?x4x?x64xf32>, tensor<?x4x?x64xi8>, tensor<?x4x?x64xi8>) outs(%to : tensor<?x4x?x64xf32>) -> tensor<?x4x?x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %o : (tensor<?x4x?x64xf32>, memref<?x4x?x64xf32>) -> ()
  return
}
}
