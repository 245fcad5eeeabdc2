// The loop over k of a register tile, as machine code: every multiply-add on registers, nothing spilled to the stack.
//
// RUN: sed -e 's/TARGET/isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = ""/' -e s/ROWS/9/g -e s/COLUMNS/48/g -e s/PANELS/3/g %s > %t.v4.mlir
// RUN: weft-opt %t.v4.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v4.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit %t.v4.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit | FileCheck %s --check-prefix=V4
// RUN: sed -e 's/TARGET/isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = ""/' -e s/ROWS/6/g -e s/COLUMNS/16/g -e s/PANELS/1/g %s > %t.v3.mlir
// RUN: weft-opt %t.v3.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v3.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 %t.v3.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 | FileCheck %s --check-prefix=V3
// RUN: sed -e 's/TARGET/isa = "portable", lanes = 4, registers = 16, cpu = "x86-64", features = ""/' -e s/ROWS/6/g -e s/COLUMNS/8/g -e s/PANELS/1/g %s > %t.sse.mlir
// RUN: weft-opt %t.sse.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.sse.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64 %t.sse.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64 | FileCheck %s --check-prefix=SSE

// v4: 9 rows × 3 vectors of 16 columns, four steps in a turn.
// V4-LABEL: product:
// V4: [[LOOP:\.LBB[0-9_]+]]: # =>This Inner Loop
// V4-NOT: {{%rsp|^\.LBB}}
// V4-COUNT-108: vfmadd231ps {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// V4-NOT: {{%rsp|^\.LBB|vfmadd}}
// V4: j{{[a-z]+}} [[LOOP]]
// V4-NOT: vfmadd
// V4: retq

// v3: 6 rows × 2 vectors of 8 columns, four steps in a turn.
// V3-LABEL: product:
// V3: [[LOOP:\.LBB[0-9_]+]]: # =>This Inner Loop
// V3-NOT: {{%rsp|^\.LBB}}
// V3-COUNT-48: vfmadd231ps {{%ymm[0-9]+, %ymm[0-9]+, %ymm[0-9]+}}
// V3-NOT: {{%rsp|^\.LBB|vfmadd}}
// V3: j{{[a-z]+}} [[LOOP]]
// V3-NOT: vfmadd
// V3: retq

// portable: products and sums apart.
// SSE-LABEL: product:
// SSE: [[LOOP:\.LBB[0-9_]+]]: # =>This Inner Loop
// SSE-NOT: ^.LBB
// SSE-COUNT-48: mulps
// SSE: j{{[a-z]+}} [[LOOP]]
// SSE-NOT: {{mulps|call}}
// SSE: retq

// Any number of rows: no accumulator of any height goes through the stack, and nothing is divided between multiply-adds.
// V4-LABEL: any_rows:
// V4-NOT: {{\(%rsp\), %zmm|%zmm[0-9]+, .*\(%rsp\)}}
// V4: retq
// V3-LABEL: any_rows:
// V3-NOT: {{\(%rsp\), %ymm|%ymm[0-9]+, .*\(%rsp\)}}
// V3: retq
module attributes {weft.target = #weft.target<TARGET>} {
func.func @product(%x: memref<ROWSx384xf32>, %w: memref<PANELSx384x16xf32>, %b: memref<COLUMNSxf32>, %y: memref<ROWSxCOLUMNSxf32>) {
  weft.packed_matmul ins(%x, %w, %b : memref<ROWSx384xf32>, memref<PANELSx384x16xf32>, memref<COLUMNSxf32>)
                     outs(%y : memref<ROWSxCOLUMNSxf32>)
  return
}
func.func @any_rows(%x: memref<?x384xf32>, %w: memref<96x384x16xf32>, %b: memref<1536xf32>, %y: memref<?x1536xf32>) {
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %count = memref.dim %x, %c0 : memref<?x384xf32>
  scf.for %row = %c0 to %count step %c48 {
    %rows = affine.min affine_map<(d0)[s0] -> (-d0 + s0, 48)>(%row)[%count]
    %some = memref.subview %x[%row, 0] [%rows, 384] [1, 1] : memref<?x384xf32> to memref<?x384xf32, strided<[384, 1], offset: ?>>
    %part = memref.subview %y[%row, 0] [%rows, 1536] [1, 1] : memref<?x1536xf32> to memref<?x1536xf32, strided<[1536, 1], offset: ?>>
    weft.packed_matmul ins(%some, %w, %b : memref<?x384xf32, strided<[384, 1], offset: ?>>, memref<96x384x16xf32>, memref<1536xf32>)
                       outs(%part : memref<?x1536xf32, strided<[1536, 1], offset: ?>>)
  }
  return
}
}
