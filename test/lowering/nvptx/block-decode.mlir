// Attention of few queries becomes a function for a block of threads.
// RUN: weft-opt %s --split-input-file --weft-block-decode --canonicalize --cse --remarks-filter-missed="weft-block-decode" --remark-format=emitRemark 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t.remarks

// REMARK: attention of few queries is for lanes: a query is not contiguous in memory
// REMARK: attention of few queries is for lanes: its items are more than the attention of one head of the keys
// REMARK: attention of few queries is for lanes: a head is wider than a block holds
// REMARK-NOT: for lanes

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// A block for each batch and head of the keys. Keys of 128 bytes: 8 threads read one, so the block reads 16 at once and
// four times as many before it multiplies.
// CHECK-LABEL: func.func private @halves(
// CHECK: gpu.launch_func @kernels::@halves blocks in (%{{.*}}, %c1, %c1) threads in (%c128, %c1, %c1) dynamic_shared_memory_size
// CHECK: func.func @halves
// CHECK-SAME: weft.block
// CHECK-SAME: weft.threads = 128 : i32
// CHECK: %[[BUFFER:.*]] = tile.alloc : !tile.buffer<1x1032xf32>
// CHECK: %[[SHARED:.*]] = builtin.unrealized_conversion_cast %[[BUFFER]] : !tile.buffer<1x1032xf32> to !llvm.ptr<3>
// Only keys up to the last position are visited.
// CHECK: %[[POSITION:.*]] = memref.load %{{.*}} : memref<1x1xi64
// CHECK: arith.minsi
// CHECK: %[[LAST:.*]] = arith.select
// CHECK: %[[HIGH:.*]] = arith.addi %[[LAST]], %c1
// CHECK: scf.for %[[CHUNK:.*]] = %{{.*}} to %[[HIGH]] step %c256 iter_args
// CHECK: scf.for %{{.*}} step %c64
// CHECK-COUNT-4: llvm.load %{{.*}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK: math.fma
// CHECK: nvvm.shfl.sync bfly
// CHECK: llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK: tile.sync
// CHECK: scf.for %{{.*}} = %{{.*}} to %c2 step %c4
// CHECK: arith.maxnumf
// CHECK: nvvm.bar.warp.sync
// CHECK: math.exp2 %{{.*}} fastmath<afn>
// CHECK: tile.sync
// CHECK: scf.for %{{.*}} step %c64 iter_args
// CHECK-COUNT-4: llvm.load %{{.*}} invariant {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK: tile.sync
// CHECK: tile.sync
// CHECK: memref.store
// CHECK: math.log
// CHECK: memref.store
func.func private @halves(%q: memref<?x6x1x64xf32>, %k: memref<?x?x3x64xbf16>, %v: memref<?x?x3x64xbf16>, %p: memref<?x1xi64>, %o: memref<?x6x1x64xf32>, %l: memref<?x6x1xf32>, %n: index, %keys: index) attributes {weft.kernel = "attention"} {
  scf.forall (%i, %j) = (0, 0) to (%n, 6) step (1, 2) {
    %g = affine.apply affine_map<(d0) -> (d0 floordiv 2)>(%j)
    %qi = memref.subview %q[%i, %j, 0, 0] [1, 2, 1, 64] [1, 1, 1, 1] : memref<?x6x1x64xf32> to memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>
    %ki = memref.subview %k[%i, 0, %g, 0] [1, %keys, 1, 64] [1, 1, 1, 1] : memref<?x?x3x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 192, 64, 1], offset: ?>>
    %vi = memref.subview %v[%i, 0, %g, 0] [1, %keys, 1, 64] [1, 1, 1, 1] : memref<?x?x3x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 192, 64, 1], offset: ?>>
    %pi = memref.subview %p[%i, 0] [1, 1] [1, 1] : memref<?x1xi64> to memref<1x1xi64, strided<[1, 1], offset: ?>>
    %oi = memref.subview %o[%i, %j, 0, 0] [1, 2, 1, 64] [1, 1, 1, 1] : memref<?x6x1x64xf32> to memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>
    %li = memref.subview %l[%i, %j, 0] [1, 2, 1] [1, 1, 1] : memref<?x6x1xf32> to memref<1x2x1xf32, strided<[6, 1, 1], offset: ?>>
    weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #p, #o, #l]}
      ins(%qi, %ki, %vi, %pi : memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 192, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 192, 64, 1], offset: ?>>, memref<1x1xi64, strided<[1, 1], offset: ?>>)
      outs(%oi, %li : memref<1x2x1x64xf32, strided<[384, 64, 64, 1], offset: ?>>, memref<1x2x1xf32, strided<[6, 1, 1], offset: ?>>)
    mask {
    ^bb0(%b: index, %h: index, %row: index, %key: index, %position: i64):
      %at = arith.index_cast %position : i64 to index
      %sees = arith.cmpi sle, %key, %at : index
      weft.yield %sees : i1
    }
  }
  return
}
}

// -----
#qt = affine_map<(b, h, i, j, d, e) -> (b, h, d, i)>
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">} {
// CHECK-LABEL: @negative_query
// CHECK: weft.attention
func.func private @negative_query(%q: memref<1x1x8x1xf32>, %k: memref<1x1x?x8xf32>, %o: memref<1x1x1x8xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#qt, #k, #v, #o]} ins(%q, %k, %k : memref<1x1x8x1xf32>, memref<1x1x?x8xf32>, memref<1x1x?x8xf32>) outs(%o : memref<1x1x1x8xf32>)
  return
}
// CHECK-LABEL: @negative_two_heads
// CHECK: weft.attention
func.func private @negative_two_heads(%q: memref<1x2x1x8xf32>, %k: memref<1x2x?x8xf32>, %o: memref<1x2x1x8xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]} ins(%q, %k, %k : memref<1x2x1x8xf32>, memref<1x2x?x8xf32>, memref<1x2x?x8xf32>) outs(%o : memref<1x2x1x8xf32>)
  return
}
// CHECK-LABEL: @negative_wide
// CHECK: weft.attention
func.func private @negative_wide(%q: memref<1x1x1x4096xf32>, %k: memref<1x1x?x4096xf32>, %o: memref<1x1x1x4096xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]} ins(%q, %k, %k : memref<1x1x1x4096xf32>, memref<1x1x?x4096xf32>, memref<1x1x?x4096xf32>) outs(%o : memref<1x1x1x4096xf32>)
  return
}
// CHECK-LABEL: @negative_many_queries
// CHECK: weft.attention
func.func private @negative_many_queries(%q: memref<1x1x?x8xf32>, %k: memref<1x1x?x8xf32>, %o: memref<1x1x?x8xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o]} ins(%q, %k, %k : memref<1x1x?x8xf32>, memref<1x1x?x8xf32>, memref<1x1x?x8xf32>) outs(%o : memref<1x1x?x8xf32>)
  return
}
}
