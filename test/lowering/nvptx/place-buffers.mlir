// RUN: weft-opt %s --weft-place-buffers | FileCheck %s

// CHECK-LABEL: @ring
// CHECK-SAME: weft.shared_bytes = 32768 : i64
func.func @ring() {
  // CHECK: tile.alloc {offset = 0 : i64}
  %a = tile.alloc : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
  return
}

// What needs the most alignment comes first; barriers are two of eight bytes a stage; what was there before stays.
// CHECK-LABEL: @orders
// CHECK-SAME: weft.shared_bytes = 9280 : i64
func.func @orders() attributes {weft.shared_bytes = 100 : i64} {
  // CHECK: tile.pipeline {offset = 9264 : i64} : !tile.pipeline<stages = 1, consumers = 4>
  %p = tile.pipeline : !tile.pipeline<stages = 1, consumers = 4>
  // CHECK: tile.alloc {offset = 9216 : i64} : !tile.buffer<3x8xbf16>
  %a = tile.alloc : !tile.buffer<3x8xbf16>
  // CHECK: tile.alloc {offset = 1024 : i64} : !tile.buffer<64x64xbf16, swizzle = 128>
  %b = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
  return
}

// CHECK-LABEL: @negative_nothing_shared()
// CHECK-NOT: weft.shared_bytes
func.func @negative_nothing_shared() {
  return
}
