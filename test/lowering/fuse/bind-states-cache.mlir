// A cache that is a state is updated in place, whoever reads it afterwards; to bufferization no copy of it remains.
// RUN: weft-opt %s --weft-bind-states | FileCheck %s
// RUN: weft-opt %s --weft-fuse-phase --weft-outline-phase --weft-tile-phase --weft-bufferize-phase | FileCheck %s --check-prefix=MEMORY

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
// CHECK-LABEL: @decode
// CHECK-SAME: %[[X:[^ ]*]]: tensor<?x1x2x16xf32> {{{[^}]*}}}, %[[P:[^ ]*]]: tensor<?x1xi64> {{{[^}]*}}}, %[[S:[^ ]*]]: tensor<?x?x2x16xf32>
// CHECK-NOT: linalg.copy
// CHECK: %[[C:.*]] = weft.cache_update {dimension = 1 : i64} ins(%[[X]], %[[P]] : {{.*}}) outs(%[[S]] : {{.*}})
// CHECK: weft.attention {{.*}} ins(%[[X]], %[[C]], %[[C]], %[[P]] :
// CHECK-NOT: linalg.copy

// The kernel's only arguments are the token, its position and the state; nothing is copied.
// MEMORY-LABEL: func.func @decode
// MEMORY-SAME: %[[X:[^ ]*]]: memref<?x1x2x16xf32> {{{[^}]*}}}, %[[P:[^ ]*]]: memref<?x1xi64> {{{[^}]*}}}, %[[S:[^ ]*]]: memref<?x?x2x16xf32>
// MEMORY: call @[[KERNEL:kernel_cache.*]](%[[X]], %[[P]], %[[S]])
// MEMORY-NEXT: affine.apply
// MEMORY: call @kernel_attention{{.*}}(%[[X]], %[[S]], %[[P]],
// MEMORY: func.func private @[[KERNEL]](
// MEMORY: scf.forall
// MEMORY-NOT: memref.alloc
// MEMORY-NOT: memref.copy
// MEMORY-NOT: linalg.
// MEMORY: weft.cache_update {{.*}} outs(%{{.*}} : memref<1x?x1x16xf32, {{.*}}>)
// MEMORY-NOT: memref.copy
// MEMORY-NOT: linalg.
// MEMORY: func.func private @kernel_attention
func.func @decode(%x: tensor<?x1x2x16xf32> {weft.name = "x", weft.dims = ["batch", "", "", ""]},
                  %p: tensor<?x1xi64> {weft.name = "positions", weft.dims = ["batch", ""]},
                  %s: tensor<?x?x2x16xf32> {weft.name = "cache", weft.dims = ["batch", "context", "", ""], weft.state})
    -> (tensor<?x1x2x16xf32> {weft.name = "y", weft.dims = ["batch", "", "", ""]},
        tensor<?x?x2x16xf32> {weft.name = "cache", weft.dims = ["batch", "context", "", ""], weft.state})
    attributes {weft.entry} {
  %zero = arith.constant 0 : index
  %batch = tensor.dim %x, %zero : tensor<?x1x2x16xf32>
  %init = tensor.empty(%batch) : tensor<?x1x2x16xf32>
  %c = weft.cache_update {dimension = 1 : i64} ins(%x, %p : tensor<?x1x2x16xf32>, tensor<?x1xi64>) outs(%s : tensor<?x?x2x16xf32>) -> tensor<?x?x2x16xf32>
  %y = weft.attention {scale = 0.25 : f32, indexing_maps = [
         affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>, affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>,
         affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>, affine_map<(b, h, i, j, d, e) -> (b, i)>,
         affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>]}
       ins(%x, %c, %c, %p : tensor<?x1x2x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>, tensor<?x1xi64>)
       outs(%init : tensor<?x1x2x16xf32>)
       mask {
       ^bb0(%b: index, %h: index, %i: index, %j: index, %last: i64):
         %end = arith.index_cast %last : i64 to index
         %visible = arith.cmpi sle, %j, %end : index
         weft.yield %visible : i1
       } -> tensor<?x1x2x16xf32>
  return %y, %c : tensor<?x1x2x16xf32>, tensor<?x?x2x16xf32>
}
}
