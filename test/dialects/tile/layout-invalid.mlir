// RUN: weft-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{cuts over a power of two of warps each way, at most 32 together, got 3 x 1}}
func.func @tile_layout_c1(%f: !tile.fragment<96x64xf32, #tile.accumulator<rows = 3, columns = 1>>) {
  return
}

// -----

// expected-error@+1 {{is the operand of side a or b, got c}}
func.func @tile_layout_c2(%f: !tile.fragment<64x64xbf16, #tile.operand<side = "c", rows = 4, columns = 1>>) {
  return
}

// -----

// expected-error@+1 {{a fragment is made of tiles of 16 x 8 for each of 4 x 1 warps}}
func.func @tile_fragment_c1(%f: !tile.fragment<32x64xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  return
}

// -----

// expected-error@+1 {{a fragment is a vector in this layout}}
func.func @tile_fragment_c1_vector(%f: !tile.fragment<64x64xf32, #tile.row_values<rows = 4, columns = 1>>) {
  return
}

// -----

// expected-error@+1 {{a fragment holds numbers of 32, 16 or 8 bits}}
func.func @tile_fragment_c1_element(%f: !tile.fragment<64x64xf64, #tile.accumulator<rows = 4, columns = 1>>) {
  return
}

// -----

// expected-error@+1 {{a buffer holds numbers of 8, 16 or 32 bits, got 'f64'}}
func.func @tile_buffer_c1(%b: !tile.buffer<64x64xf64>) {
  return
}

// -----

// expected-error@+1 {{a buffer has stages and rows, and rows of a multiple of 16 bytes}}
func.func @tile_buffer_c2(%b: !tile.buffer<64x12xbf16>) {
  return
}

// -----

// expected-error@+1 {{a swizzle has 32, 64 or 128 bytes, got 256}}
func.func @tile_buffer_c3(%b: !tile.buffer<64x128xbf16, swizzle = 256>) {
  return
}

// -----

// expected-error@+1 {{a buffer with a swizzle of 128 bytes has panels of so many bytes and 8 rows}}
func.func @tile_buffer_c4(%b: !tile.buffer<64x32xbf16, swizzle = 128>) {
  return
}

// -----

// expected-error@+1 {{a part of a buffer has a pitch of at least its rows, and one stage}}
func.func @tile_buffer_c5(%b: !tile.buffer<64x64xbf16, swizzle = 128, stages = 2, pitch = 128>) {
  return
}

// -----

func.func @tile_buffer_c6(%b: !tile.buffer<64x64xbf16, stages = 2>) {
  // expected-error@+1 {{takes one stage, use tile.stage on the ring}}
  %f = tile.load %b : !tile.buffer<64x64xbf16, stages = 2> to !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
  return
}

// -----

func.func @tile_group_c1(%x: f32) attributes {weft.threads = 256 : i32} {
  // expected-error@+1 {{is for 4 warps, but 8 run it}}
  %f = tile.splat %x : f32 to !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
  return
}
