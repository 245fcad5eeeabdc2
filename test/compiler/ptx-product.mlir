// A product of one warp, C[16, 8] += A[16, K] · B[8, K]ᵀ in bf16: the loop stays one, and the machine code is as planned.
// RUN: rm -rf %t && mkdir %t
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_80 --ptx-dir=%t/sm_80 %s | FileCheck %s
// RUN: weft-translate --weft-to-ptx --ptx-target=sm_90a --ptx-dir=%t/sm_90a %s | FileCheck %s
// RUN: %ptxas-gate --check %s %t/sm_80/product.ptx %t/sm_90a/product.ptx

// CHECK: .entry product
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
// CHECK-NOT: mma.sync
// GATE: product registers 48 shared 0 stack 0 loop[HMMA] 13
// ptxas unrolls the loop four times, and all loads are ahead of the four instructions that wait for them.
// SASS: product loop[HMMA] keep[HMMA LDG]: LDG{24} HMMA{4}
gpu.module @kernels {
  llvm.func @product(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>, %k: i64)
      attributes {nvvm.kernel, nvvm.reqntid = array<i32: 32, 1, 1>} {
    %zero = llvm.mlir.constant(0.0 : f32) : f32
    %c0 = llvm.mlir.constant(0 : i64) : i64
    %c2 = llvm.mlir.constant(2 : i64) : i64
    %c3 = llvm.mlir.constant(3 : i64) : i64
    %c8 = llvm.mlir.constant(8 : i64) : i64
    %c16 = llvm.mlir.constant(16 : i64) : i64
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %t = llvm.zext %lane : i32 to i64
    %row = llvm.lshr %t, %c2 : i64
    %inQuad = llvm.and %t, %c3 : i64
    %col = llvm.mul %inQuad, %c2 : i64
    %rowOffset = llvm.mul %row, %k : i64
    %first = llvm.add %rowOffset, %col : i64
    %eightRows = llvm.mul %k, %c8 : i64
    %second = llvm.add %first, %eightRows : i64
    llvm.br ^loop(%c0, %zero, %zero, %zero, %zero : i64, f32, f32, f32, f32)
  ^loop(%i: i64, %s0: f32, %s1: f32, %s2: f32, %s3: f32):
    %at0 = llvm.add %first, %i : i64
    %at1 = llvm.add %second, %i : i64
    %at2 = llvm.add %at0, %c8 : i64
    %at3 = llvm.add %at1, %c8 : i64
    %pa0 = llvm.getelementptr %a[%at0] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %pa1 = llvm.getelementptr %a[%at1] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %pa2 = llvm.getelementptr %a[%at2] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %pa3 = llvm.getelementptr %a[%at3] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %pb0 = llvm.getelementptr %b[%at0] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %pb1 = llvm.getelementptr %b[%at2] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i16
    %a0 = llvm.load %pa0 : !llvm.ptr<1> -> i32
    %a1 = llvm.load %pa1 : !llvm.ptr<1> -> i32
    %a2 = llvm.load %pa2 : !llvm.ptr<1> -> i32
    %a3 = llvm.load %pa3 : !llvm.ptr<1> -> i32
    %b0 = llvm.load %pb0 : !llvm.ptr<1> -> i32
    %b1 = llvm.load %pb1 : !llvm.ptr<1> -> i32
    %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1] C[%s0, %s1, %s2, %s3]
        {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
         multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>,
         shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
    %n0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
    %n1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
    %n2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
    %n3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
    %next = llvm.add %i, %c16 : i64
    %more = llvm.icmp "slt" %next, %k : i64
    llvm.cond_br %more, ^loop(%next, %n0, %n1, %n2, %n3 : i64, f32, f32, f32, f32), ^done
  ^done:
    %outRow = llvm.mul %row, %c8 : i64
    %out = llvm.add %outRow, %col : i64
    %p0 = llvm.getelementptr %c[%out] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    %p1 = llvm.getelementptr %p0[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %p2 = llvm.getelementptr %p0[64] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    %p3 = llvm.getelementptr %p0[65] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    llvm.store %n0, %p0 : f32, !llvm.ptr<1>
    llvm.store %n1, %p1 : f32, !llvm.ptr<1>
    llvm.store %n2, %p2 : f32, !llvm.ptr<1>
    llvm.store %n3, %p3 : f32, !llvm.ptr<1>
    llvm.return
  }
}
