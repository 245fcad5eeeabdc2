// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

#te = affine_map<(b, h, t, n, e) -> (b, t, e)>
#t = affine_map<(b, h, t, n, e) -> (b, t)>
// CHECK-DAG: #[[NEXT:.*]] = affine_map<(d0) -> (d0 floordiv 512 + 1)>
// CHECK-DAG: #[[OWN:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d2 floordiv 512, d0, d4)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// Parts that have states of their own are items; a tile's slots begin with its own, and it has one.
// CHECK-LABEL: @parts
// CHECK: scf.forall (%[[B:.*]], %[[T:.*]]) = (0, 0) to (%{{.*}}, %{{.*}}) step (1, 512)
// CHECK: %[[SLOT:.*]] = affine.apply #[[NEXT]](%[[T]])
// CHECK: %[[S:.*]] = tensor.extract_slice %{{.*}}[%[[SLOT]], %[[B]], 0] [1, 1, 32]
// CHECK: weft.recurrence {indexing_maps = [{{.*}}, #[[OWN]]]} {{.*}} state(%[[S]] : tensor<1x1x32xf32>)
func.func private @parts(%x: memref<?x?x32xf32>, %s: memref<?x?x32xf32>) attributes {weft.kernel = "scan"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x32xf32> to tensor<?x?x32xf32>
  %ts = bufferization.to_tensor %s restrict writable : memref<?x?x32xf32> to tensor<?x?x32xf32>
  %r = weft.recurrence {indexing_maps = [#te, affine_map<(b, h, t, n, e) -> (t floordiv 512 + 1, b, e)>]}
       ins(%tx : tensor<?x?x32xf32>) state(%ts : tensor<?x?x32xf32>)
       step {
       ^bb0(%value: f32):
         weft.step value(%value)
       } -> tensor<?x?x32xf32>
  bufferization.materialize_in_destination %r in restrict writable %s : (tensor<?x?x32xf32>, memref<?x?x32xf32>) -> ()
  return
}

// What would be one item of a long time is two of half the columns.
// CHECK-LABEL: @one_head
// CHECK: scf.forall (%{{.*}}, %{{.*}}) = (0, 0) to (%{{.*}}, 64) step (1, 32)
func.func private @one_head(%x: memref<?x?x64xf32>, %g: memref<?x?xf32>, %y: memref<?x?x64xf32>) attributes {weft.kernel = "scan"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x64xf32> to tensor<?x?x64xf32>
  %tg = bufferization.to_tensor %g restrict : memref<?x?xf32> to tensor<?x?xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x?x64xf32> to tensor<?x?x64xf32>
  %r = weft.recurrence {indexing_maps = [#te, #t, #te]} ins(%tx, %tg : tensor<?x?x64xf32>, tensor<?x?xf32>) outs(%ty : tensor<?x?x64xf32>)
       step {
       ^bb0(%value: f32, %decay: f32):
         weft.step value(%value) decay(%decay)
       } -> tensor<?x?x64xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x?x64xf32>, memref<?x?x64xf32>) -> ()
  return
}
}
