// RUN: weft-opt %s --weft-bufferize-kernels --canonicalize --cse --canonicalize | FileCheck %s

#left = affine_map<(d0)[n] -> (-d0 + n, 16)>

// Zeros that two sums begin with are copied for one of them: of at most 16 rows, as many as the scratch that they are
// copied from, both lie on the stack.
// CHECK-LABEL: @copied
// CHECK: scf.forall
// CHECK-COUNT-2: memref.alloca() {alignment = 64 : i64} : memref<64xi8>
// CHECK-NOT: memref.alloc(
func.func private @copied(%x: memref<?x8xf32>, %y: memref<?x8xf32>) attributes {weft.kernel = "copied"} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x8xf32> to tensor<?x8xf32>
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %r = scf.forall (%row) = (0) to (%n) step (16) shared_outs(%out = %ty) -> (tensor<?x8xf32>) {
    %rows = affine.min #left(%row)[%n]
    %in = tensor.extract_slice %tx[%row, 0] [%rows, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
    %dest = tensor.extract_slice %out[%row, 0] [%rows, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
    %e = tensor.empty(%rows) : tensor<?xf32>
    %zeros = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %sum = linalg.reduce {arith.addf} ins(%in : tensor<?x8xf32>) outs(%zeros : tensor<?xf32>) dimensions = [1]
    %most = linalg.reduce {arith.maximumf} ins(%in : tensor<?x8xf32>) outs(%zeros : tensor<?xf32>) dimensions = [1]
    %both = linalg.add ins(%sum, %most : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %0 = linalg.broadcast ins(%both : tensor<?xf32>) outs(%dest : tensor<?x8xf32>) dimensions = [1]
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %0 into %out[%row, 0] [%rows, 8] [1, 1] : tensor<?x8xf32> into tensor<?x8xf32>
    }
  }
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}
