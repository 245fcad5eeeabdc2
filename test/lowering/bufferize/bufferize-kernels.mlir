// RUN: weft-opt %s --weft-bufferize-kernels --canonicalize --cse --canonicalize | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#rows = affine_map<(d0)[n] -> (-d0 + n, 112)>

// Each tile is computed in its place in the output: no copy, nothing of the whole size is allocated.
// CHECK-LABEL: @in_place
// CHECK-SAME: (%[[X:.*]]: memref<?x8xf32>, %[[Y:.*]]: memref<?x8xf32>, %[[N:.*]]: index)
// CHECK-NOT: memref.alloc
// CHECK: scf.forall (%[[ROW:.*]]) in (%[[N]]) {
// CHECK: %[[IN:.*]] = memref.subview %[[X]][%[[ROW]], 0] [1, 8] [1, 1]
// CHECK: %[[OUT:.*]] = memref.subview %[[Y]][%[[ROW]], 0] [1, 8] [1, 1]
// CHECK: linalg.exp ins(%[[IN]] : {{.*}}) outs(%[[OUT]] :
// CHECK-NOT: linalg.copy
// CHECK: return
func.func private @in_place(%x: memref<?x8xf32>, %y: memref<?x8xf32>, %n: index) attributes {weft.kernel = "map"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x8xf32> to tensor<?x8xf32>
  %r = scf.forall (%row) in (%n) shared_outs(%out = %ty) -> (tensor<?x8xf32>) {
    %in = tensor.extract_slice %tx[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
    %dest = tensor.extract_slice %out[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
    %0 = linalg.exp ins(%in : tensor<1x8xf32>) outs(%dest : tensor<1x8xf32>) -> tensor<1x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %0 into %out[%row, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<?x8xf32>
    }
  }
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// A value between two ops of a tile, of fixed size: a scratch on the stack.
// CHECK-LABEL: @scratch
// CHECK: scf.forall
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<1x8xf32>
// CHECK: linalg.exp {{.*}} outs(%[[SCRATCH]] : memref<1x8xf32>)
// CHECK: weft.layer_norm {{.*}} ins(%[[SCRATCH]], %{{.*}} :
// CHECK-NOT: memref.alloc(
func.func private @scratch(%x: memref<?x8xf32>, %s: memref<8xf32>, %y: memref<?x8xf32>, %n: index) attributes {weft.kernel = "norm"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %ts = bufferization.to_tensor %s restrict : memref<8xf32> to tensor<8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x8xf32> to tensor<?x8xf32>
  %r = scf.forall (%row) in (%n) shared_outs(%out = %ty) -> (tensor<?x8xf32>) {
    %in = tensor.extract_slice %tx[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
    %empty = tensor.empty() : tensor<1x8xf32>
    %0 = linalg.exp ins(%in : tensor<1x8xf32>) outs(%empty : tensor<1x8xf32>) -> tensor<1x8xf32>
    %dest = tensor.extract_slice %out[%row, 0] [1, 8] [1, 1] : tensor<?x8xf32> to tensor<1x8xf32>
    %1 = weft.layer_norm {epsilon = 0.0 : f32} ins(%0, %ts : tensor<1x8xf32>, tensor<8xf32>) outs(%dest : tensor<1x8xf32>) -> tensor<1x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %out[%row, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<?x8xf32>
    }
  }
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// A product's block, as high as the rows that are left, in a scratch for 112 of them: vectorize-matmul takes it away,
// with the epilogue.
// CHECK-LABEL: @product_block
// CHECK: scf.forall
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {{.*}} : memref<7168xi8>
// CHECK: %[[BLOCK:.*]] = memref.view %[[SCRATCH]][%c0][%{{.*}}] : memref<7168xi8> to memref<?x16xf32>
// CHECK: weft.packed_matmul {{.*}} outs(%[[BLOCK]] : memref<?x16xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[BLOCK]] : memref<?x16xf32>)
func.func private @product_block(%x: memref<?x8xf32>, %w: memref<1x8x16xf32>, %y: memref<?x16xf32>, %n: index) attributes {weft.kernel = "linear"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %tw = bufferization.to_tensor %w restrict : memref<1x8x16xf32> to tensor<1x8x16xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x16xf32> to tensor<?x16xf32>
  %r = scf.forall (%row) = (0) to (%n) step (112) shared_outs(%out = %ty) -> (tensor<?x16xf32>) {
    %count = affine.min #rows(%row)[%n]
    %in = tensor.extract_slice %tx[%row, 0] [%count, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
    %empty = tensor.empty(%count) : tensor<?x16xf32>
    %0 = weft.packed_matmul ins(%in, %tw : tensor<?x8xf32>, tensor<1x8x16xf32>) outs(%empty : tensor<?x16xf32>) -> tensor<?x16xf32>
    %dest = tensor.extract_slice %out[%row, 0] [%count, 16] [1, 1] : tensor<?x16xf32> to tensor<?x16xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<?x16xf32>) outs(%dest : tensor<?x16xf32>) {
    ^bb0(%a: f32, %o: f32):
      %t = math.erf %a : f32
      linalg.yield %t : f32
    } -> tensor<?x16xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %1 into %out[%row, 0] [%count, 16] [1, 1] : tensor<?x16xf32> into tensor<?x16xf32>
    }
  }
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x16xf32>, memref<?x16xf32>) -> ()
  return
}

// CHECK-LABEL: @negative_not_a_kernel
// CHECK: linalg.exp {{.*}} -> tensor<4x8xf32>
func.func @negative_not_a_kernel(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %empty = tensor.empty() : tensor<4x8xf32>
  %y = linalg.exp ins(%x : tensor<4x8xf32>) outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
