// Convolutions over time: channels of one batch; steps only where no state goes through all of them.
// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// CHECK-LABEL: func.func @steps
// CHECK: scf.forall (%[[B:.*]], %[[T:.*]], %[[D:.*]]) = (0, 0, 0) to (%{{.*}}, %{{.*}}, 768) step (1, 256, 384)
// CHECK: weft.causal_conv ins(%{{.*}}, %{{.*}} : tensor<1x?x384xf32>, tensor<384x4xf32>) from(%[[T]]) outs(%{{.*}} : tensor<1x?x384xf32>)
// CHECK: weft.item_cost
func.func @steps(%x: memref<?x?x768xf32>, %w: memref<768x4xf32>, %y: memref<?x?x768xf32>) attributes {weft.kernel = "conv"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x768xf32> to tensor<?x?x768xf32>
  %tw = bufferization.to_tensor %w restrict : memref<768x4xf32> to tensor<768x4xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x?x768xf32> to tensor<?x?x768xf32>
  %r = weft.causal_conv ins(%tx, %tw : tensor<?x?x768xf32>, tensor<768x4xf32>) outs(%ty : tensor<?x?x768xf32>) -> tensor<?x?x768xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x?x768xf32>, memref<?x?x768xf32>) -> ()
  return
}

// The copy of the state that the kernel begins with is done by the item that needs it.
// CHECK-LABEL: func.func @state
// CHECK: scf.forall (%[[B:.*]], %[[D:.*]]) = (0, 0) to (%{{.*}}, 768) step (1, 384)
// CHECK: %[[S:.*]] = linalg.copy ins(%{{.*}} : tensor<1x3x384xf32>) outs(%{{.*}} : tensor<1x3x384xf32>)
// CHECK: weft.causal_conv {{.*}} outs(%{{.*}} : tensor<1x?x384xf32>) state(%[[S]] : tensor<1x3x384xf32>)
func.func @state(%x: memref<?x?x768xf32>, %w: memref<768x4xf32>, %s: memref<?x3x768xf32>, %y: memref<?x?x768xf32>, %n: memref<?x3x768xf32>) attributes {weft.kernel = "conv"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x768xf32> to tensor<?x?x768xf32>
  %tw = bufferization.to_tensor %w restrict : memref<768x4xf32> to tensor<768x4xf32>
  %ts = bufferization.to_tensor %s restrict : memref<?x3x768xf32> to tensor<?x3x768xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x?x768xf32> to tensor<?x?x768xf32>
  %tn = bufferization.to_tensor %n restrict writable : memref<?x3x768xf32> to tensor<?x3x768xf32>
  %c = linalg.copy ins(%ts : tensor<?x3x768xf32>) outs(%tn : tensor<?x3x768xf32>) -> tensor<?x3x768xf32>
  %r:2 = weft.causal_conv ins(%tx, %tw : tensor<?x?x768xf32>, tensor<768x4xf32>) outs(%ty : tensor<?x?x768xf32>) state(%c : tensor<?x3x768xf32>) -> tensor<?x?x768xf32>, tensor<?x3x768xf32>
  bufferization.materialize_in_destination %r#0 in restrict writable %y : (tensor<?x?x768xf32>, memref<?x?x768xf32>) -> ()
  bufferization.materialize_in_destination %r#1 in restrict writable %n : (tensor<?x3x768xf32>, memref<?x3x768xf32>) -> ()
  return
}

// An update of a cache: one batch and one head; rows come in order, and the item has all slots.
// CHECK-LABEL: func.func @cache
// CHECK: scf.forall (%[[B:.*]], %[[H:.*]]) in (%{{.*}}, 4)
// CHECK: weft.cache_update {dimension = 1 : i64} ins(%{{.*}}, %{{.*}} : tensor<1x?x1x16xf32>, tensor<1x?xi64>) outs(%{{.*}} : tensor<1x?x1x16xf32>)
func.func @cache(%x: memref<?x?x4x16xf32>, %p: memref<?x?xi64>, %c: memref<?x?x4x16xf32>) attributes {weft.kernel = "cache"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x?x4x16xf32> to tensor<?x?x4x16xf32>
  %tp = bufferization.to_tensor %p restrict : memref<?x?xi64> to tensor<?x?xi64>
  %tc = bufferization.to_tensor %c restrict writable : memref<?x?x4x16xf32> to tensor<?x?x4x16xf32>
  %r = weft.cache_update {dimension = 1 : i64} ins(%tx, %tp : tensor<?x?x4x16xf32>, tensor<?x?xi64>) outs(%tc : tensor<?x?x4x16xf32>) -> tensor<?x?x4x16xf32>
  bufferization.materialize_in_destination %r in restrict writable %c : (tensor<?x?x4x16xf32>, memref<?x?x4x16xf32>) -> ()
  return
}
}
