// Items that are attention of many queries in half precision become blocks of warp groups on Hopper.
// RUN: weft-opt %s --split-input-file --weft-warp-group-attention --canonicalize --cse | FileCheck %s
// RUN: sed s/sm_90a/sm_80/g %s | weft-opt --split-input-file --weft-warp-group-attention | FileCheck %s --check-prefix=OLD
// OLD-NOT: tile.roles

// The host describes maps of queries, keys and values; keys and values exist as far as the item says.
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 2, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#rest = affine_map<(i)[n] -> (-i + n, 128)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @causal(
// CHECK-SAME: %[[Q:.*]]: memref<2x?x4x64xbf16>, %[[K:.*]]: memref<2x?x2x64xbf16>, {{.*}}, %[[N:.*]]: index)
// CHECK: %[[KEYS:.*]] = arith.maxui %[[N]], %c1
// CHECK: gpu.launch_func @kernels::@causal blocks in (%{{.*}}, %c1, %c1) threads in (%c384, %c1, %c1)
// CHECK-SAME: weft.tensor_maps = [array<i64: 4, 128, 64, 1, 128, 1>, array<i64: 4, 128, 64, 1, 128, 1>, array<i64: 4, 128, 64, 1, 128, 1>]
// CHECK-NOT: gpu.launch_func
// CHECK: func.func private @others(
// CHECK: weft.attention
// CHECK: func.func private @few(
// CHECK: weft.attention
// CHECK: func.func private @single(
// CHECK: weft.attention
// CHECK-LABEL: func.func @causal(
// CHECK-SAME: %[[QM:[a-z0-9]*]]: !llvm.ptr {weft.tensor_map}, %[[KM:[a-z0-9]*]]: !llvm.ptr {weft.tensor_map}, %[[VM:[a-z0-9]*]]: !llvm.ptr {weft.tensor_map})
// CHECK: tile.roles {consumers = 2 : i64, registers = array<i64: 24, 240>} producer
// CHECK: tile.load_tensor %[[QM]]
// CHECK: tile.load_tensor %[[KM]]
// CHECK: scf.for
// CHECK: tile.load_tensor %[[KM]]
// CHECK: tile.load_tensor %[[VM]]
// CHECK: } consumer {
// CHECK: scf.if
// CHECK-NEXT: tile.barrier arrive %c1 {warps = 8 : i64}
// CHECK: scf.for
// CHECK: tile.wait_full
// CHECK-NEXT: tile.barrier sync
// CHECK: %[[S:.*]] = tile.warp_group_mma %{{.*}}, b_transposed
// CHECK: %[[P:.*]] = tile.warp_group_mma {{.*}} plus
// CHECK: tile.barrier arrive
// CHECK: %[[SCORES:.*]] = tile.wait_products %[[S]] {pending = 1 : i64}
// CHECK-NEXT: tile.release
// CHECK: %[[SEEN:.*]] = scf.if
// CHECK: tile.reduce max %[[SEEN]]
// CHECK: tile.wait_full
// CHECK-NEXT: tile.wait_products %[[P]] holding
// CHECK: tile.store_global {{.*}} {bytes = 4 : i64, even}
func.func private @causal(%q: memref<2x?x4x64xbf16>, %k: memref<2x?x2x64xbf16>, %v: memref<2x?x2x64xbf16>, %o: memref<2x?x4x64xbf16>, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (2, 4, %n) step (1, 1, 128) {
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

// Not here: rows of 12 bytes, which bulk copies do not bring; few queries; f32.
func.func private @others(%q: memref<1x1x128x6xbf16>, %k: memref<1x1x?x6xbf16>, %o: memref<1x1x128x6xbf16>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>], scale = 0.25 : f32} ins(%q, %k, %k : memref<1x1x128x6xbf16>, memref<1x1x?x6xbf16>, memref<1x1x?x6xbf16>) outs(%o : memref<1x1x128x6xbf16>)
  return
}
func.func private @few(%q: memref<1x1x64x16xbf16>, %k: memref<1x1x?x16xbf16>, %o: memref<1x1x64x16xbf16>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>], scale = 0.25 : f32} ins(%q, %k, %k : memref<1x1x64x16xbf16>, memref<1x1x?x16xbf16>, memref<1x1x?x16xbf16>) outs(%o : memref<1x1x64x16xbf16>)
  return
}
func.func private @single(%q: memref<1x1x128x16xf32>, %k: memref<1x1x?x16xf32>, %o: memref<1x1x128x16xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {indexing_maps = [affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>, affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>, affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>], scale = 0.25 : f32} ins(%q, %k, %k : memref<1x1x128x16xf32>, memref<1x1x?x16xf32>, memref<1x1x?x16xf32>) outs(%o : memref<1x1x128x16xf32>)
  return
}
}
