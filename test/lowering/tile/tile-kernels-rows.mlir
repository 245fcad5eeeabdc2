// RUN: weft-opt %s --weft-tile-kernels --canonicalize --cse | FileCheck %s

// A vector in chunks, whose cost counts exponentials by the vector; short rows together.
// CHECK-LABEL: @vector
// CHECK: scf.forall (%{{.*}}) = (0) to (%{{.*}}) step (1024)
// CHECK: math.exp
// CHECK: {weft.item_cost = 1024 : i64}
// CHECK-LABEL: @short_rows
// CHECK: scf.forall (%{{.*}}) = (0) to (%{{.*}}) step (32)
// CHECK: {weft.item_cost = 16 : i64}
#v = affine_map<(n) -> (n)>
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func private @vector(%x: memref<?xf32>, %y: memref<?xf32>) attributes {weft.kernel = "map"} {
  %tx = bufferization.to_tensor %x restrict : memref<?xf32> to tensor<?xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?xf32> to tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%tx : tensor<?xf32>) outs(%ty : tensor<?xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?xf32>, memref<?xf32>) -> ()
  return
}
func.func private @short_rows(%x: memref<?x8xf32>, %y: memref<?x8xf32>) attributes {weft.kernel = "map"} {
  %tx = bufferization.to_tensor %x restrict : memref<?x8xf32> to tensor<?x8xf32>
  %ty = bufferization.to_tensor %y restrict writable : memref<?x8xf32> to tensor<?x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%tx : tensor<?x8xf32>) outs(%ty : tensor<?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = arith.addf %a, %a : f32
    linalg.yield %t : f32
  } -> tensor<?x8xf32>
  bufferization.materialize_in_destination %r in restrict writable %y : (tensor<?x8xf32>, memref<?x8xf32>) -> ()
  return
}
}
