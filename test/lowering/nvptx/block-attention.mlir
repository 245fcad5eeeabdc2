// Items that are attention of many queries become blocks of threads on matrix units.
// RUN: weft-opt %s --split-input-file --weft-block-attention --canonicalize --cse | FileCheck %s

// bf16, causal: keys and values are copied ahead, later keys are not visited, and the mask is evaluated where it decides.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#rest = affine_map<(i)[n] -> (-i + n, 64)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @causal(
// CHECK: gpu.launch_func @kernels::@causal blocks in (%{{.*}}, %c1, %c1) threads in (%c128, %c1, %c1)
// CHECK: func.func @causal(
// CHECK-SAME: weft.block
// CHECK: %[[Q:.*]] = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
// CHECK: %[[K:.*]] = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
// CHECK: %[[V:.*]] = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
// CHECK: tile.copy_async {{.*}} to %[[Q]] {warps = 4 : i64}
// CHECK: tile.copy_async {{.*}} to %[[K]] {warps = 4 : i64}
// CHECK: tile.commit_copies
// CHECK: %[[HELD:.*]] = tile.load %[[Q]]
// CHECK: scf.for %[[AT:.*]] = %{{.*}} to %{{.*}} step %c64
// CHECK-NEXT: tile.wait_copies {pending = 0 : i64}
// CHECK-NEXT: tile.sync
// CHECK: tile.copy_async %{{.*}}[%[[AT]], %c0] {{.*}} to %[[V]]
// CHECK: %[[S:.*]] = tile.mma %[[HELD]], b_transposed %[[K]]
// CHECK: tile.sync
// CHECK: tile.copy_async {{.*}} to %[[K]]
// CHECK: %[[SEEN:.*]] = scf.if
// CHECK: scf.yield %[[S]]
// CHECK: tile.map ins(%[[S]],
// CHECK: arith.cmpi sle, %{{.*}}, %{{.*}} : i32
// CHECK: tile.reduce max %[[SEEN]]
// CHECK: %[[W:.*]] = tile.convert
// CHECK: tile.wait_copies {pending = 1 : i64}
// CHECK: tile.mma %[[W]], %[[V]]
// CHECK: tile.convert {{.*}} to !tile.fragment<64x64xbf16, #tile.accumulator<rows = 4, columns = 1>>
// CHECK: tile.store_global {{.*}} {bytes = 4 : i64, even}
func.func private @causal(%q: memref<2x?x4x64xbf16>, %k: memref<2x?x2x64xbf16>, %v: memref<2x?x2x64xbf16>, %o: memref<2x?x4x64xbf16>, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (2, 4, %n) step (1, 1, 64) {
    %m = affine.min #rest(%i)[%n]
    %g = affine.apply affine_map<(h) -> (h floordiv 2)>(%h)
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<2x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %g, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<2x?x2x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %g, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<2x?x2x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<2x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 128, 64, 1], offset: ?>>) outs(%o1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
}

// -----
// f32 whose products may be rounded goes through registers; a padding mask is read where it is needed; a score region.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (b, h, i)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func @rounded(
// CHECK: %[[Q:.*]] = tile.alloc : !tile.buffer<64x32xbf16, swizzle = 64>
// CHECK: %[[F:.*]] = tile.load_global
// CHECK: %[[H:.*]] = tile.convert %[[F]] : {{.*}} to !tile.fragment<64x32xbf16, #tile.accumulator<rows = 4, columns = 1>>
// CHECK: tile.store %[[H]]
// CHECK: tile.mma {{.*}}, !tile.buffer<64x32xbf16, swizzle = 64> ->
// CHECK: math.tanh
// CHECK: memref.load
// CHECK: arith.select
// CHECK: tile.mma {{.*}} !tile.buffer<64x16xbf16, swizzle = 32>
// CHECK: math.log
func.func private @rounded(%q: memref<1x1x40x24xf32>, %k: memref<1x1x?x24xf32>, %v: memref<1x1x?x10xf32>, %p: memref<1x?xi64>, %o: memref<1x1x40x10xf32>, %l: memref<1x1x40xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #p, #o, #l], scale = 0.25 : f32, product_type = bf16} ins(%q, %k, %v, %p : memref<1x1x40x24xf32>, memref<1x1x?x24xf32>, memref<1x1x?x10xf32>, memref<1x?xi64>) outs(%o, %l : memref<1x1x40x10xf32>, memref<1x1x40xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index, %one: i64):
    %capped = math.tanh %s : f32
    weft.yield %capped : f32
  } mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index, %one: i64):
    %zero = arith.constant 0 : i64
    %seen = arith.cmpi ne, %one, %zero : i64
    weft.yield %seen : i1
  }
  return
}

// f32 as it is: three products of tf32 for one, weights through shared memory.
// CHECK-LABEL: func.func @exact(
// CHECK: tile.mma {{.*}} {split} : !tile.buffer<64x32xf32, swizzle = 128>, !tile.buffer<64x32xf32, swizzle = 128>
// CHECK: tile.store {{.*}} : {{.*}} to !tile.buffer<64x64xf32, swizzle = 128>
// CHECK: tile.mma {{.*}} {split} : !tile.buffer<64x64xf32, swizzle = 128>, !tile.buffer<64x16xf32, swizzle = 64>
func.func private @exact(%q: memref<1x1x40x24xf32>, %k: memref<1x1x?x24xf32>, %v: memref<1x1x?x10xf32>, %o: memref<1x1x40x10xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x24xf32>, memref<1x1x?x24xf32>, memref<1x1x?x10xf32>) outs(%o : memref<1x1x40x10xf32>)
  return
}
}

// -----
// Keys in bytes stay with lanes. A window over packed texts: keys begin where the query that reaches furthest does, which lanes find together.
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @bytes(
// CHECK: weft.attention
// CHECK-LABEL: func.func @packed(
// CHECK: %[[ENDS:.*]]:2 = scf.for {{.*}} step %c32
// CHECK: memref.load
// CHECK: %[[MOST:.*]] = arith.trunci %[[ENDS]]#1 : i64 to i32
// CHECK: nvvm.shfl.sync bfly %{{.*}}, %[[MOST]],
// CHECK: %[[LOW:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: %[[STEP:.*]] = arith.divui %[[LOW]], %c64
// CHECK: %[[FIRST:.*]] = arith.muli %[[STEP]], %c64
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %{{.*}} step %c64
func.func private @packed(%q: memref<1x1x40x64xbf16>, %k: memref<1x1x?x64xbf16>, %v: memref<1x1x?x64xbf16>, %p: memref<1x40xi64>, %o: memref<1x1x40x64xbf16>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #p, #o], scale = 0.25 : f32} ins(%q, %k, %v, %p : memref<1x1x40x64xbf16>, memref<1x1x?x64xbf16>, memref<1x1x?x64xbf16>, memref<1x40xi64>) outs(%o : memref<1x1x40x64xbf16>) mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index, %reach: i64):
    %far = arith.subi %i, %j : index
    %back = arith.index_cast %reach : i64 to index
    %near = arith.cmpi sle, %far, %back : index
    %past = arith.cmpi sle, %j, %i : index
    %seen = arith.andi %near, %past : i1
    weft.yield %seen : i1
  }
  return
}

func.func private @bytes(%q: memref<1x1x40x64xf32>, %k: memref<1x1x?x64xi8>, %v: memref<1x1x?x64xi8>, %o: memref<1x1x40x64xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f32} ins(%q, %k, %v : memref<1x1x40x64xf32>, memref<1x1x?x64xi8>, memref<1x1x?x64xi8>) outs(%o : memref<1x1x40x64xf32>)
  return
}
}
