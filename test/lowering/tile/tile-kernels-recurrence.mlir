// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

// A work item: a batch, a head (Mamba has one) and 256 columns, with all of time.
// CHECK-LABEL: @mamba
// CHECK: scf.forall (%[[B:.*]], %[[E:.*]]) = (0, 0) to (%{{.*}}, 1536) step (1, 256)
// CHECK: %[[X:.*]] = tensor.extract_slice %{{.*}}[%[[B]], 0, %[[E]]] [1, %{{.*}}, 256]
// CHECK: %[[A:.*]] = tensor.extract_slice %{{.*}}[0, %[[E]]] [16, 256]
// CHECK: weft.recurrence {{.*}} ins(%[[X]], %[[A]] :
// CHECK: {weft.item_cost = {{[0-9]+}} : i64}
#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @mamba(%x: memref<?x?x1536xf32>, %a: memref<16x1536xf32>, %y: memref<?x?x1536xf32>) attributes {weft.kernel = "scan"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x1536xf32> to tensor<?x?x1536xf32>
  %ta = bufferization.to_tensor %a restrict : memref<16x1536xf32> to tensor<16x1536xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x?x1536xf32> to tensor<?x?x1536xf32>
  %r = weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (n, e)>, #te]}
       ins(%tx, %ta : tensor<?x?x1536xf32>, tensor<16x1536xf32>) outs(%ty : tensor<?x?x1536xf32>)
       step {
       ^bb0(%value: f32, %decay: f32):
         weft.step value(%value) decay(%decay)
       } -> tensor<?x?x1536xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x?x1536xf32>, memref<?x?x1536xf32>) -> ()
  return
}

// Heads that share their keys form the products of queries and keys together, four at a time.
// CHECK-LABEL: @mamba_2
// CHECK: scf.forall (%{{.*}}, %[[H:.*]]) = (0, 0) to (%{{.*}}, 24) step (1, 4)
// CHECK: tensor.extract_slice %{{.*}}[%{{.*}}, 0, %[[H]], 0] [1, %{{.*}}, 4, 64]
func.func private @mamba_2(%x: memref<?x?x24x64xf32>, %k: memref<?x?x128xf32>, %g: memref<?x?x24xf32>, %y: memref<?x?x24x64xf32>) attributes {weft.kernel = "scan"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x24x64xf32> to tensor<?x?x24x64xf32>
  %tk = bufferization.to_tensor %k restrict : memref<?x?x128xf32> to tensor<?x?x128xf32>
  %tg = bufferization.to_tensor %g restrict : memref<?x?x24xf32> to tensor<?x?x24xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x?x24x64xf32> to tensor<?x?x24x64xf32>
  %r = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, h, e)>, affine_map<(b, h, t, n, e) -> (b, t, n)>,
                                         affine_map<(b, h, t, n, e) -> (b, t, h)>, affine_map<(b, h, t, n, e) -> (b, t, h, e)>]}
       ins(%tx, %tk, %tg : tensor<?x?x24x64xf32>, tensor<?x?x128xf32>, tensor<?x?x24xf32>) outs(%ty : tensor<?x?x24x64xf32>)
       step {
       ^bb0(%value: f32, %key: f32, %decay: f32):
         weft.step query(%key) key(%key) value(%value) decay(%decay)
       } -> tensor<?x?x24x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x?x24x64xf32>, memref<?x?x24x64xf32>) -> ()
  return
}
}
