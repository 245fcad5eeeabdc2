// The loop over k of a register tile of integers, as machine code: nothing spilled to the stack.
//
// RUN: sed -e 's/TARGET/isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = ""/' -e s/ROWS/12/g -e s/COLUMNS/32/g -e s/PANELS/2/g %s > %t.v4.mlir
// RUN: weft-opt %t.v4.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v4.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit %t.v4.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit | FileCheck %s --check-prefix=V4
// RUN: sed -e 's/TARGET/isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = ""/' -e s/ROWS/4/g -e s/COLUMNS/16/g -e s/PANELS/1/g %s > %t.v3.mlir
// RUN: weft-opt %t.v3.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.v3.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 %t.v3.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v3 | FileCheck %s --check-prefix=V3

// v4: 12 rows × 2 vectors of 16 columns, two products of pairs each.
// V4-LABEL: product:
// V4: vpbroadcastd
// V4-NOT: {{vmov.*%rsp|^\.LBB}}
// V4-COUNT-48: vpmaddwd {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// V4-NOT: {{vmov.*%rsp|^\.LBB|vpmaddwd}}
// V4: j{{[a-z]+}} .LBB

// v3: 4 rows × 2 vectors of 8 columns.
// V3-LABEL: product:
// V3: vpbroadcastd
// V3-NOT: {{vmov.*%rsp|^\.LBB}}
// V3-COUNT-16: vpmaddwd {{%ymm[0-9]+, %ymm[0-9]+, %ymm[0-9]+}}
// V3-NOT: {{vmov.*%rsp|^\.LBB|vpmaddwd}}
// V3: j{{[a-z]+}} .LBB
module attributes {weft.target = #weft.target<TARGET>} {
func.func @product(%x: memref<ROWSx384xi8>, %xs: memref<ROWSxf32>, %w: memref<PANELSx96x64xi8>, %ws: memref<COLUMNSxf32>, %y: memref<ROWSxCOLUMNSxf32>) {
  weft.quantized_matmul ins(%x, %xs, %w, %ws : memref<ROWSx384xi8>, memref<ROWSxf32>, memref<PANELSx96x64xi8>, memref<COLUMNSxf32>)
                        outs(%y : memref<ROWSxCOLUMNSxf32>)
  return
}
}
