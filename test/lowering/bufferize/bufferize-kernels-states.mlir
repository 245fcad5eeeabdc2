// RUN: weft-opt %s --weft-bufferize-kernels --cse --canonicalize | FileCheck %s

// What a kernel reads of its destination it reads where it writes: nothing is copied.
// CHECK-LABEL: func.func private @kernel_reduce_0(
// CHECK-SAME: %[[X:[^ ]*]]: memref<4x8xf32>, %[[S:[^ ]*]]: memref<4xf32>)
// CHECK-NOT: memref.alloc
// CHECK-NOT: linalg.copy
// CHECK: scf.forall (%[[ROW:.*]]) in (4)
// CHECK: %[[TILE:.*]] = memref.subview %[[S]][%[[ROW]]] [1] [1]
// CHECK: linalg.generic {{.*}} outs(%[[TILE]] :
// CHECK-NOT: linalg.copy
// CHECK: return
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
func.func private @kernel_reduce_0(%x: memref<4x8xf32>, %s: memref<4xf32>) attributes {weft.kernel = "reduce"} {
  %tx = bufferization.to_tensor %x restrict : memref<4x8xf32> to tensor<4x8xf32>
  %ts = bufferization.to_tensor %s restrict writable : memref<4xf32> to tensor<4xf32>
  %y = scf.forall (%i) in (4) shared_outs(%out = %ts) -> (tensor<4xf32>) {
    %row = tensor.extract_slice %tx[%i, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
    %old = tensor.extract_slice %out[%i] [1] [1] : tensor<4xf32> to tensor<1xf32>
    %new = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%row : tensor<1x8xf32>) outs(%old : tensor<1xf32>) {
    ^bb0(%a: f32, %o: f32):
      %sum = arith.addf %o, %a : f32
      linalg.yield %sum : f32
    } -> tensor<1xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %new into %out[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
    }
  }
  bufferization.materialize_in_destination %y in restrict writable %s : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
