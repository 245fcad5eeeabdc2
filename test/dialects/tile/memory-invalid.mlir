// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @tile_alloc_c1() {
  // expected-error@+1 {{makes a whole buffer, not a part with a pitch}}
  %b = tile.alloc : !tile.buffer<64x64xbf16, pitch = 128>
  return
}

// -----

func.func @tile_alloc_c2() {
  // expected-error@+1 {{needs an offset that is a multiple of 1024}}
  %b = tile.alloc {offset = 512 : i64} : !tile.buffer<64x64xbf16, swizzle = 128>
  return
}

// -----

func.func @tile_slice_c1(%b: !tile.buffer<128x64xbf16, swizzle = 128>, %i: index) {
  // expected-error@+1 {{keeps element, swizzle and pitch of the whole}}
  %p = tile.slice %b[%i, 0] : !tile.buffer<128x64xbf16, swizzle = 128> to !tile.buffer<64x64xbf16, swizzle = 128>
  return
}

// -----

func.func @tile_slice_c2(%b: !tile.buffer<64x64xbf16, swizzle = 128>, %i: index) {
  // expected-error@+1 {{goes beyond the whole}}
  %p = tile.slice %b[%i, 64] : !tile.buffer<64x64xbf16, swizzle = 128> to !tile.buffer<64x64xbf16, swizzle = 128>
  return
}

// -----

func.func @tile_slice_c3(%b: !tile.buffer<64x64xbf16>, %i: index) {
  // expected-error@+1 {{cuts columns between panels of 64 columns}}
  %p = tile.slice %b[%i, 32] : !tile.buffer<64x64xbf16> to !tile.buffer<64x32xbf16>
  return
}

// -----

func.func @tile_extents_c1(%x: !llvm.ptr<1>, %b: !tile.buffer<64x64xbf16>, %i: index) {
  // expected-error@+1 {{is in rows and columns, or says nothing of them}}
  tile.copy_async %x[%i, %i] in (%i) stride %i to %b {warps = 4 : i64} : !llvm.ptr<1> to !tile.buffer<64x64xbf16>
  return
}

// -----

func.func @tile_copy_async_c1(%x: !llvm.ptr<1>, %b: !tile.buffer<64x64xbf16>, %i: index) {
  // expected-error@+1 {{copies 16, 8 or 4 bytes at a time, got 2}}
  tile.copy_async %x[%i, %i] stride %i to %b {warps = 4 : i64, bytes = 2 : i64} : !llvm.ptr<1> to !tile.buffer<64x64xbf16>
  return
}

// -----

func.func @tile_copy_async_c2(%x: !llvm.ptr<1>, %b: !tile.buffer<8x64xbf16>, %i: index) {
  // expected-error@+1 {{has 64 pieces, which 128 threads cannot share evenly}}
  tile.copy_async %x[%i, %i] stride %i to %b {warps = 4 : i64} : !llvm.ptr<1> to !tile.buffer<8x64xbf16>
  return
}

// -----

func.func @tile_wait_copies_c1() {
  // expected-error@+1 {{leaves 0 or more groups on their way}}
  tile.wait_copies {pending = -1 : i64}
  return
}

// -----

func.func @tile_load_c1(%b: !tile.buffer<64x64xbf16>) {
  // expected-error@+1 {{reads all of the buffer, one element for each of the fragment}}
  %f = tile.load %b : !tile.buffer<64x64xbf16> to !tile.fragment<64x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
  return
}

// -----

func.func @tile_load_c2(%b: !tile.buffer<64x64xf32>) {
  // expected-error@+1 {{transposes operands only}}
  %f = tile.load transposed %b : !tile.buffer<64x64xf32> to !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
  return
}

// -----

func.func @tile_load_c3(%b: !tile.buffer<64x64xi8>) {
  // expected-error@+1 {{exchanges rows and columns of numbers of 16 and 32 bits only}}
  %f = tile.load %b : !tile.buffer<64x64xi8> to !tile.fragment<64x64xi8, #tile.operand<side = "b", rows = 4, columns = 1>>
  return
}

// -----

func.func @tile_store_c1(%b: !tile.buffer<64x64xbf16>, %f: !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  // expected-error@+1 {{writes all of the buffer, from an accumulator of its shape and element}}
  tile.store %f to %b : !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x64xbf16>
  return
}

// -----

func.func @tile_store_c2(%b: !tile.buffer<64x64xf32>, %f: !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  // expected-error@+1 {{stores 16-bit numbers by matrix}}
  tile.store %f to %b {by_matrix} : !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x64xf32>
  return
}

// -----

func.func @tile_store_global_c1(%y: !llvm.ptr<1>, %i: index, %f: !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1, partial = true>>) {
  // expected-error@+1 {{stores whole row values, combine them first}}
  tile.store_global %f to %y[%i, %i] stride %i : !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1, partial = true>> to !llvm.ptr<1>
  return
}

// -----

func.func @tile_store_global_c2(%y: !llvm.ptr<1>, %i: index, %f: !tile.fragment<64xf32, #tile.column_values<rows = 4, columns = 1>>) {
  // expected-error@+1 {{stores accumulators and row values}}
  tile.store_global %f to %y[%i, %i] stride %i : !tile.fragment<64xf32, #tile.column_values<rows = 4, columns = 1>> to !llvm.ptr<1>
  return
}
