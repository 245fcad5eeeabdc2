// Between MLIR's LLVM dialect and LLVM IR.
// RUN: weft-translate %s --mlir-to-llvmir | FileCheck %s
// RUN: weft-translate %s --mlir-to-llvmir | weft-translate --import-llvm | FileCheck %s --check-prefix=BACK

// CHECK: define float @twice(float %[[X:.*]]) {
// CHECK: fadd float %[[X]], %[[X]]
// BACK: llvm.func @twice
llvm.func @twice(%x: f32) -> f32 {
  %sum = llvm.fadd %x, %x : f32
  llvm.return %sum : f32
}
