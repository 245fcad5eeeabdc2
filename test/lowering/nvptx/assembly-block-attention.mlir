// Attention of many queries as machine code: registers for four, three, two and two blocks that share an SM.
// RUN: rm -rf %t && mkdir %t
// RUN: sed s/SM/sm_80/ %s | weft-opt --weft-blocks-phase --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/old.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/old %t/old.mlir | FileCheck %s
// RUN: sed s/SM/sm_90a/ %s | weft-opt --weft-blocks-phase --weft-vectorize-phase --weft-nvptx-phase --weft-cpu-phase -o %t/new.mlir
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/new %t/new.mlir
// RUN: %ptxas-gate --check %s %t/old/narrow.ptx %t/old/wide.ptx %t/old/roundedwide.ptx %t/old/exactwide.ptx %t/new/narrow.ptx %t/new/wide.ptx %t/new/roundedwide.ptx %t/new/exactwide.ptx

// GATE: narrow registers 128 shared 24576 stack 0
// GATE: wide registers 168 shared 49152 stack 0
// GATE: roundedwide registers 255 shared 49152 stack 0
// GATE: exactwide registers 255 shared 73728 stack 0

// All copies of a step are on their way before the first exponential.
// SASS: narrow loop[HMMA] keep[LDGSTS MUFU]: LDGSTS{8} MUFU{34}
// SASS: wide loop[HMMA] keep[LDGSTS MUFU]: LDGSTS{16} MUFU{34}

// Values come during the scores, the next keys during softmax and the second product; weights stay in registers.
// CHECK-LABEL: .entry narrow(
// CHECK: cp.async.cg.shared.global
// CHECK: $L__BB
// CHECK: cp.async.wait_group 0
// CHECK: bar.sync
// CHECK: cp.async.cg.shared.global
// CHECK: cp.async.commit_group
// CHECK-COUNT-32: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK: bar.sync
// CHECK: cp.async.cg.shared.global
// CHECK: ex2.approx.ftz.f32
// CHECK: cvt.rn.bf16x2.f32
// CHECK: cp.async.wait_group 1
// CHECK: bar.sync
// CHECK-COUNT-32: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-LABEL: .entry exactwide(
// CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
#target = #weft.target<isa = "SM", lanes = 16, registers = 32, cpu = "SM", features = "">
#q = affine_map<(b, h, i, j, d, e) -> (b, i, h, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, j, h, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, j, h, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, i, h, e)>
#rest = affine_map<(i)[n] -> (-i + n, 64)>
module attributes {weft.target = #target} {
func.func private @narrow(%q: memref<?x?x4x64xbf16>, %k: memref<?x?x4x64xbf16>, %v: memref<?x?x4x64xbf16>, %o: memref<?x?x4x64xbf16>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 64) {
    %m = affine.min #rest(%i)[%n]
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %h, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %h, 0] [1, %n, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 64] [1, 1, 1, 1] : memref<?x?x4x64xbf16> to memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>, memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>) outs(%o1 : memref<1x?x1x64xbf16, strided<[?, 256, 64, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
func.func private @wide(%q: memref<?x?x4x128xbf16>, %k: memref<?x?x4x128xbf16>, %v: memref<?x?x4x128xbf16>, %o: memref<?x?x4x128xbf16>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 64) {
    %m = affine.min #rest(%i)[%n]
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xbf16> to memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>) outs(%o1 : memref<1x?x1x128xbf16, strided<[?, 512, 128, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
func.func private @roundedwide(%q: memref<?x?x4x128xf32>, %k: memref<?x?x4x128xf32>, %v: memref<?x?x4x128xf32>, %o: memref<?x?x4x128xf32>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 64) {
    %m = affine.min #rest(%i)[%n]
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32, product_type = bf16} ins(%q1, %k1, %v1 : memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>) outs(%o1 : memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
func.func private @exactwide(%q: memref<?x?x4x128xf32>, %k: memref<?x?x4x128xf32>, %v: memref<?x?x4x128xf32>, %o: memref<?x?x4x128xf32>, %batch: index, %n: index) attributes {weft.kernel = "attention"} {
  scf.forall (%b, %h, %i) = (0, 0, 0) to (%batch, 4, %n) step (1, 1, 64) {
    %m = affine.min #rest(%i)[%n]
    %q1 = memref.subview %q[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %k1 = memref.subview %k[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %v1 = memref.subview %v[%b, 0, %h, 0] [1, %n, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    %o1 = memref.subview %o[%b, %i, %h, 0] [1, %m, 1, 128] [1, 1, 1, 1] : memref<?x?x4x128xf32> to memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>
    weft.attention {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} ins(%q1, %k1, %v1 : memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>, memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>) outs(%o1 : memref<1x?x1x128xf32, strided<[?, 512, 128, 1], offset: ?>>) mask {
    ^bb0(%b2: index, %h2: index, %i2: index, %j2: index):
      %place = arith.addi %i2, %i : index
      %seen = arith.cmpi sle, %j2, %place : index
      weft.yield %seen : i1
    }
  }
  return
}
}
