// The loops over a group's words by digits, as machine code: no vector is spilled to the stack where one row streams by.
//
// RUN: sed -e s/BITS/4/ -e s/BYTES/288/g -e s/ROWS/1/g %s > %t.4.mlir
// RUN: weft-opt %t.4.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.4.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni %t.4.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni | FileCheck %s --check-prefix=FOUR
// RUN: sed -e s/BITS/8/ -e s/BYTES/544/g -e s/ROWS/1/g %s > %t.8.mlir
// RUN: weft-opt %t.8.mlir --weft-vectorize-phase --weft-cpu-phase | sed -e 's/^module attributes {.*} {$/module {/' | weft-translate --mlir-to-llvmir | sed 's/^define internal/define/' > %t.8.ll
// RUN: opt -S -O1 -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni %t.8.ll \
// RUN:   | llc -mtriple=x86_64-unknown-linux-gnu -mcpu=x86-64-v4 -mattr=-prefer-256-bit,+avx512vnni | FileCheck %s --check-prefix=EIGHT

// 4 bits: six panels, six words of digits for both halves of the weight's bytes; a shift for every second vector of
// bytes, and one operation more for each.
// FOUR-LABEL: product:
// FOUR: prefetcht1
// FOUR: prefetcht0
// FOUR-COUNT-6: vpbroadcastd {{.*}}, %zmm
// FOUR-NOT: {{vmov.*%rsp|^\.LBB|vpternlog|vpbroadcast}}
// FOUR: vpsrld $4
// FOUR-NOT: {{vmov.*%rsp|^\.LBB|vpternlog|vpbroadcast}}
// FOUR-COUNT-36: vpdpbusd {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// FOUR-NOT: {{vmov.*%rsp|^\.LBB|vpdpbusd}}
// FOUR: j{{[a-z]+}} .LBB

// 8 bits: no hints among them, one for each panel and group after them.
// EIGHT-LABEL: product:
// EIGHT: vpdpbusd
// EIGHT: vpxor{{[dq]}} {{-?[0-9]*}}(
// EIGHT-COUNT-18: vpdpbusd {{%zmm[0-9]+, %zmm[0-9]+, %zmm[0-9]+}}
// EIGHT-NOT: {{vmov.*%rsp|^\.LBB|vpdpbusd|prefetch}}
// EIGHT: j{{[a-z]+}} .LBB
// EIGHT-COUNT-6: prefetcht1
module attributes {weft.target = #weft.target<isa = "v4-vnni", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @product(%x: memref<ROWSx1024xf32>, %w: memref<12x32xBYTESxi8>, %y: memref<ROWSx192xf32>) {
  weft.groupwise_matmul {bits = BITS, group = 32} ins(%x, %w : memref<ROWSx1024xf32>, memref<12x32xBYTESxi8>) outs(%y : memref<ROWSx192xf32>)
  return
}
}
