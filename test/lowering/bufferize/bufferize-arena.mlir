// RUN: weft-opt %s --split-input-file --weft-bufferize-arena --canonicalize --cse | FileCheck %s

// Three values, two slots: the third takes the first's, which nobody reads any more. Offsets grow with the extents.
// CHECK-LABEL: func.func @slots_shared
// CHECK-SAME: %[[B:[a-z0-9]+]]: index {weft.dim = "batch"}, %[[S:[a-z0-9]+]]: index {weft.dim = "sequence"}, %[[ARENA:[a-z0-9]+]]: memref<?xi8> {weft.arena})
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[BYTES:.*]] = arith.constant 32 : index
// CHECK-DAG: %[[LINE:.*]] = arith.constant 64 : index
// CHECK: %[[N:.*]] = arith.muli %[[B]], %[[S]]
// CHECK: %[[SIZE:.*]] = arith.muli %[[N]], %[[BYTES]]
// CHECK: %[[LINES:.*]] = arith.ceildivui %[[SIZE]], %[[LINE]]
// CHECK: %[[OFFSET:.*]] = arith.muli %[[LINES]], %[[LINE]]
// CHECK: %[[FIRST:.*]] = memref.view %[[ARENA]][%[[ZERO]]][%[[N]]] : memref<?xi8> to memref<?x8xf32>
// CHECK: call @kernel(%{{.*}}, %[[FIRST]])
// CHECK: %[[SECOND:.*]] = memref.view %[[ARENA]][%[[OFFSET]]][%[[N]]] : memref<?xi8> to memref<?x32xf32>
// CHECK: call @widen(%[[FIRST]], %[[SECOND]])
// CHECK: call @narrow(%[[SECOND]], %[[FIRST]])
// CHECK-NOT: memref.alloc

// How many bytes: 32 and 128 for each token, in whole cache lines. Where that wraps around, the same sum in f64, of the
// dimensions and not of a product that wrapped, is beyond 2^62, and the answer is -1.
// CHECK-LABEL: func.func private @slots_shared_arena
// CHECK-SAME: (%[[B:.*]]: index, %[[S:.*]]: index) -> index
// CHECK-DAG: arith.constant 128 : index
// CHECK-DAG: arith.constant 32 : index
// CHECK-DAG: %[[LIMIT:.*]] = arith.constant 4.6116860184273879E+18 : f64
// CHECK-DAG: %[[NONE:.*]] = arith.constant -1 : index
// CHECK: %[[END:.*]] = arith.addi
// CHECK: arith.sitofp
// CHECK: %[[TOTAL:.*]] = arith.addf
// CHECK: %[[FITS:.*]] = arith.cmpf olt, %[[TOTAL]], %[[LIMIT]]
// CHECK: %[[SIZE:.*]] = arith.select %[[FITS]], %[[END]], %[[NONE]]
// CHECK: return %[[SIZE]]
func.func private @kernel(memref<?x8xf32>, memref<?x8xf32>)
func.func private @widen(memref<?x8xf32>, memref<?x32xf32>)
func.func private @narrow(memref<?x32xf32>, memref<?x8xf32>)
func.func @slots_shared(%x: memref<?x?x8xf32> {weft.name = "x", weft.dims = ["batch", "sequence", ""]}, %y: memref<?x8xf32> {weft.output}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = memref.dim %x, %c0 : memref<?x?x8xf32>
  %s = memref.dim %x, %c1 : memref<?x?x8xf32>
  %n = arith.muli %b, %s : index
  %tokens = memref.collapse_shape %x [[0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
  %h0 = memref.alloc(%n) : memref<?x8xf32>
  call @kernel(%tokens, %h0) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  %h1 = memref.alloc(%n) : memref<?x32xf32>
  call @widen(%h0, %h1) : (memref<?x8xf32>, memref<?x32xf32>) -> ()
  %h2 = memref.alloc(%n) : memref<?x8xf32>
  call @narrow(%h1, %h2) : (memref<?x32xf32>, memref<?x8xf32>) -> ()
  call @kernel(%h2, %y) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// A view's reader keeps the slot alive.
// CHECK-LABEL: func.func @alive_through_a_view
// CHECK-COUNT-3: memref.view
func.func private @kernel(memref<?x8xf32>, memref<?x8xf32>)
func.func private @views(memref<?x2x4xf32>, memref<?x8xf32>, memref<?x8xf32>)
func.func @alive_through_a_view(%x: memref<?x8xf32> {weft.name = "x", weft.dims = ["n", ""]}, %y: memref<?x8xf32> {weft.output}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %h0 = memref.alloc(%n) : memref<?x8xf32>
  call @kernel(%x, %h0) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  %v = memref.expand_shape %h0 [[0], [1, 2]] output_shape [%n, 2, 4] : memref<?x8xf32> into memref<?x2x4xf32>
  %h1 = memref.alloc(%n) : memref<?x8xf32>
  call @kernel(%x, %h1) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  %h2 = memref.alloc(%n) : memref<?x8xf32>
  call @kernel(%h1, %h2) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  call @views(%v, %h2, %y) : (memref<?x2x4xf32>, memref<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// A value for each sequence and one for each batch do not share: which is larger is not known.
// CHECK-LABEL: func.func @negative_other_extents
// CHECK: %[[A:.*]] = memref.view %{{.*}}[%{{.*}}][%{{.*}}] : memref<?xi8> to memref<?xf32>
// CHECK: %[[B:.*]] = memref.view %{{.*}}[%{{.*}}][%{{.*}}] : memref<?xi8> to memref<?xf32>
// CHECK: call @use(%[[B]])
func.func private @use(memref<?xf32>)
func.func @negative_other_extents(%x: memref<?x?xf32> {weft.name = "x", weft.dims = ["batch", "sequence"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = memref.dim %x, %c0 : memref<?x?xf32>
  %s = memref.dim %x, %c1 : memref<?x?xf32>
  %h0 = memref.alloc(%b) : memref<?xf32>
  call @use(%h0) : (memref<?xf32>) -> ()
  %h1 = memref.alloc(%s) : memref<?xf32>
  call @use(%h1) : (memref<?xf32>) -> ()
  return
}
