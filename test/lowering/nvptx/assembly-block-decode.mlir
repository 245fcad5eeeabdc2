// Attention of few queries as PTX: keys and values come 16 bytes a thread, four reads before the first multiply-add.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-opt %s --weft-blocks-phase -o %t/blocks.mlir
// RUN: weft-opt %t/blocks.mlir --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/device.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/ptx %t/device.mlir | FileCheck %s
// RUN: %ptxas-gate --check %s %t/ptx/halves.ptx %t/ptx/floats.ptx %t/ptx/bytes.ptx

// GATE: halves registers 96 shared 10304 stack 0
// GATE: floats registers 80 shared 9280 stack 0
// GATE: bytes registers 144 shared 12352 stack 0

// CHECK-LABEL: .entry halves(
// The queries, before the loops.
// CHECK-COUNT-8: ld.global.{{(nc.)?}}v4.b32
// CHECK: $L__BB
// CHECK-COUNT-4: ld.global.{{(nc.)?}}v4.b32
// CHECK-NOT: ld.global.b
// CHECK: fma.rn.f32
// CHECK: shfl.sync.bfly.b32
// CHECK: bar.sync
// CHECK: bar.warp.sync
// CHECK: ex2.approx.ftz.f32
// CHECK: bar.sync
// CHECK-COUNT-4: ld.global.{{(nc.)?}}v4.b32
// CHECK-NOT: ld.global
// CHECK: bar.sync

// CHECK-LABEL: .entry floats(
// CHECK-COUNT-4: ld.global.{{(nc.)?}}v4.b32
// CHECK: fma.rn.f32
// CHECK: bar.sync
// CHECK-COUNT-4: ld.global.{{(nc.)?}}v4.b32

// Bytes become numbers without conversions, which are slow.
// CHECK-LABEL: .entry bytes(
// CHECK: xor.b32 %{{.*}}, -2139062144
// CHECK: prmt.b32
// CHECK: fma.rn.f32
// CHECK: bar.sync
#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h floordiv 4, e)>
#p = affine_map<(b, h, i, j, d, e) -> (b, i)>
#f = affine_map<(b, h, i, j, d, e) -> (b, j)>
#o = affine_map<(b, h, i, j, d, e) -> (j floordiv 128, b, h, i, e)>
#l = affine_map<(b, h, i, j, d, e) -> (j floordiv 128, b, i, h)>
#o64 = affine_map<(b, h, i, j, d, e) -> (j floordiv 64, b, h, i, e)>
#l64 = affine_map<(b, h, i, j, d, e) -> (j floordiv 64, b, i, h)>
#o256 = affine_map<(b, h, i, j, d, e) -> (j floordiv 256, b, h, i, e)>
#l256 = affine_map<(b, h, i, j, d, e) -> (j floordiv 256, b, i, h)>
module attributes {weft.target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">} {
func.func private @halves(%q: memref<1x4x1x128xf32>, %k: memref<1x?x1x128xbf16>, %v: memref<1x?x1x128xbf16>, %p: memref<1x1xi64>, %o: memref<1x1x4x1x128xf32>, %l: memref<1x1x1x4xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #p, #o, #l]}
    ins(%q, %k, %v, %p : memref<1x4x1x128xf32>, memref<1x?x1x128xbf16>, memref<1x?x1x128xbf16>, memref<1x1xi64>)
    outs(%o, %l : memref<1x1x4x1x128xf32>, memref<1x1x1x4xf32>)
  mask {
  ^bb0(%b: index, %h: index, %i: index, %j: index, %position: i64):
    %at = arith.index_cast %position : i64 to index
    %sees = arith.cmpi sle, %j, %at : index
    weft.yield %sees : i1
  }
  return
}
func.func private @floats(%q: memref<1x4x1x128xf32>, %k: memref<1x?x1x128xf32>, %v: memref<1x?x1x128xf32>, %o: memref<1x1x4x1x128xf32>, %l: memref<1x1x1x4xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #o64, #l64]}
    ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x?x1x128xf32>, memref<1x?x1x128xf32>)
    outs(%o, %l : memref<1x1x4x1x128xf32>, memref<1x1x1x4xf32>)
  return
}
func.func private @bytes(%q: memref<1x4x1x128xf32>, %k: memref<1x?x1x128xi8>, %v: memref<1x?x1x128xi8>, %ks: memref<1x?xf32>, %vs: memref<1x?xf32>, %o: memref<1x1x4x1x128xf32>, %l: memref<1x1x1x4xf32>) attributes {weft.kernel = "attention"} {
  weft.attention {scale = 0.5 : f32, indexing_maps = [#q, #k, #v, #f, #f, #o256, #l256]}
    ins(%q, %k, %v : memref<1x4x1x128xf32>, memref<1x?x1x128xi8>, memref<1x?x1x128xi8>)
    key_scale(%ks : memref<1x?xf32>) value_scale(%vs : memref<1x?xf32>)
    outs(%o, %l : memref<1x1x4x1x128xf32>, memref<1x1x1x4xf32>)
  return
}
}
