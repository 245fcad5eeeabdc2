// RUN: weft-opt %s --split-input-file --verify-diagnostics

!sum = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_mma_c1(%a: !tile.buffer<64x32xbf16>, %b: !tile.buffer<64x64xbf16>, %s: !sum) {
  // expected-error@+1 {{multiplies M x K by K x N of one type of numbers to M x N, got 64 x 32, 64 x 64}}
  %r = tile.mma %a, %b, %s : !tile.buffer<64x32xbf16>, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xi32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_mma_c2(%a: !tile.buffer<64x64xbf16>, %s: !sum) {
  // expected-error@+1 {{adds bf16, f16 or f32 to f32, or i8 to i32, got 'bf16' and 'i32'}}
  %r = tile.mma %a, %a, %s : !tile.buffer<64x64xbf16>, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!a = !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 2, columns = 2>>
func.func @tile_mma_c3(%a: !a, %b: !tile.buffer<64x64xbf16>, %s: !sum) {
  // expected-error@+1 {{takes an accumulator, and factors that are operands over its warps}}
  %r = tile.mma %a, %b, %s : !a, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!a = !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
func.func @tile_mma_c4(%a: !a, %b: !tile.buffer<64x64xbf16>, %s: !sum) {
  // expected-error@+1 {{transposes buffers only}}
  %r = tile.mma a_transposed %a, %b, %s : !a, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xi32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_mma_c5(%a: !tile.buffer<64x64xi8>, %s: !sum) {
  // expected-error@+1 {{reads numbers of 8 bits only where they lie along K}}
  %r = tile.mma %a, %a, %s : !tile.buffer<64x64xi8>, !tile.buffer<64x64xi8> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_mma_c7(%a: !tile.buffer<64x64xbf16>, %s: !sum) {
  // expected-error@+1 {{splits f32 only, got 'bf16'}}
  %r = tile.mma %a, %a, %s {split} : !tile.buffer<64x64xbf16>, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_mma_c6(%a: !tile.buffer<64x8xbf16>, %s: !sum) {
  // expected-error@+1 {{takes K in steps of 32 bytes}}
  %r = tile.mma %a, b_transposed %a, %s : !tile.buffer<64x8xbf16>, !tile.buffer<64x8xbf16> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_warp_group_mma_c1(%a: !tile.buffer<64x32xbf16, swizzle = 64>, %b: !tile.buffer<64x64xbf16, swizzle = 128>) {
  // expected-error@+1 {{multiplies M x K by K x N of one type of numbers to M x N, got 64 x 32, 64 x 64}}
  %r = tile.warp_group_mma %a, %b : !tile.buffer<64x32xbf16, swizzle = 64>, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<128x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_warp_group_mma_c2(%a: !tile.buffer<128x64xbf16, swizzle = 128>, %b: !tile.buffer<64x64xbf16, swizzle = 128>) {
  // expected-error@+1 {{has 64 rows, up to 256 columns in steps of 8, and K in steps of 16, got 128 x 64 x 64}}
  %r = tile.warp_group_mma %a, %b : !tile.buffer<128x64xbf16, swizzle = 128>, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_warp_group_mma_c3(%a: !tile.buffer<64x64xf32, swizzle = 128>) {
  // expected-error@+1 {{adds bf16 or f16 to f32, got 'f32' and 'f32'}}
  %r = tile.warp_group_mma %a, %a : !tile.buffer<64x64xf32, swizzle = 128>, !tile.buffer<64x64xf32, swizzle = 128> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 2, columns = 2>>>
func.func @tile_warp_group_mma_c4(%a: !tile.buffer<64x64xbf16, swizzle = 128>) {
  // expected-error@+1 {{cuts rows over four warps}}
  %r = tile.warp_group_mma %a, %a : !tile.buffer<64x64xbf16, swizzle = 128>, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_warp_group_mma_c5(%a: !tile.buffer<64x64xbf16>) {
  // expected-error@+1 {{reads one stage of a buffer with a swizzle}}
  %r = tile.warp_group_mma %a, %a : !tile.buffer<64x64xbf16>, !tile.buffer<64x64xbf16> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
!other = !tile.fragment<64x32xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_warp_group_mma_c6(%a: !tile.buffer<64x64xbf16, swizzle = 128>, %o: !other) {
  // expected-error@+1 {{adds to a sum of the result's type}}
  %r = tile.warp_group_mma %a, %a plus %o : !other : !tile.buffer<64x64xbf16, swizzle = 128>, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_wait_products_c1(%a: !tile.buffer<64x64xbf16, swizzle = 128>) {
  %r = tile.warp_group_mma %a, %a : !tile.buffer<64x64xbf16, swizzle = 128>, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  // expected-error@+1 {{leaves 1 groups pending, but only 0 are issued after the one that it waits for}}
  %s = tile.wait_products %r {pending = 1 : i64} : !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
!p = !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
func.func @tile_wait_products_c2(%p: !p, %b: !tile.buffer<64x64xbf16, swizzle = 128>) {
  %r = tile.warp_group_mma %p, %b : !p, !tile.buffer<64x64xbf16, swizzle = 128> -> !sum
  // expected-error@+1 {{must hold the left factor, which the instructions read from registers}}
  %s = tile.wait_products %r {pending = 0 : i64} : !sum
  return
}

// -----

!sum = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_wait_earlier_c1(%r: !sum) {
  // expected-error@+1 {{leaves 1 or more groups pending; tile.wait_products leaves none}}
  %s = tile.wait_earlier %r {pending = 0 : i64} : !sum
  return
}
