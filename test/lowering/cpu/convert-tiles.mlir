// RUN: weft-opt %s --weft-convert-tiles --reconcile-unrealized-casts | FileCheck %s

// The example of the pass.
// CHECK-LABEL: @zero(
// CHECK: %[[T:.*]] = llvm.call_intrinsic "llvm.x86.tilezero.internal"(%{{.*}}, %{{.*}}) : (i16, i16) -> !llvm.x86_amx
// CHECK: llvm.call_intrinsic "llvm.x86.tilestored64.internal"(%{{.*}}, %[[T]])
func.func @zero(%y: memref<16x16xi32>) {
  %zero = arith.constant 0 : index
  %t = amx.tile_zero : !amx.tile<16x16xi32>
  amx.tile_store %y[%zero, %zero], %t : memref<16x16xi32>, !amx.tile<16x16xi32>
  return
}

// A loop carries tiles as LLVM's type; its bounds stay what they are.
// CHECK-LABEL: @loop(
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (!llvm.x86_amx) {
// CHECK: llvm.call_intrinsic "llvm.x86.tdpbssd.internal"({{.*}}%[[ACC]]
// CHECK-NOT: amx.tile
func.func @loop(%a: memref<16x64xi8>, %b: memref<16x64xi8>, %y: memref<16x16xi32>, %steps: index) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %start = amx.tile_zero : !amx.tile<16x16xi32>
  %sum = scf.for %i = %zero to %steps step %one iter_args(%acc = %start) -> (!amx.tile<16x16xi32>) {
    %x = amx.tile_load %a[%zero, %zero] : memref<16x64xi8> into !amx.tile<16x64xi8>
    %w = amx.tile_load %b[%zero, %zero] : memref<16x64xi8> into !amx.tile<16x64xi8>
    %next = amx.tile_muli %x, %w, %acc : !amx.tile<16x64xi8>, !amx.tile<16x64xi8>, !amx.tile<16x16xi32>
    scf.yield %next : !amx.tile<16x16xi32>
  }
  amx.tile_store %y[%zero, %zero], %sum : memref<16x16xi32>, !amx.tile<16x16xi32>
  return
}
