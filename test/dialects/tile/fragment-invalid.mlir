// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @tile_splat_c1(%x: f32) {
  // expected-error@+1 {{has elements of the value's type, got 'bf16'}}
  %f = tile.splat %x : f32 to !tile.fragment<64x64xbf16, #tile.accumulator<rows = 4, columns = 1>>
  return
}

// -----

func.func @tile_coordinate_c1() {
  // expected-error@+1 {{gives rows (0) or columns (1) as i32}}
  %f = tile.coordinate {dimension = 2 : i64} : !tile.fragment<64x64xi32, #tile.accumulator<rows = 4, columns = 1>>
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!part = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1, partial = true>>
func.func @tile_map_c1_partial(%f: !f, %r: !part) {
  // expected-error@+1 {{has inputs of the result's shape and layout, or of its rows or columns}}
  %g = tile.map ins(%f, %r : !f, !part) -> !f {
  ^bb0(%x: f32, %y: f32):
    tile.yield %x : f32
  }
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_map_c2(%f: !f) {
  // expected-error@+1 {{has a region that takes one element of each input}}
  %g = tile.map ins(%f : !f) -> !f {
  ^bb0(%x: f32, %y: f32):
    tile.yield %x : f32
  }
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_map_c3(%f: !f, %n: i32) {
  // expected-error@+1 {{has a region that yields an element of the result, 'f32'}}
  %g = tile.map ins(%f : !f) -> !f {
  ^bb0(%x: f32):
    tile.yield %n : i32
  }
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!rows = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>>
func.func @tile_reduce_c1(%f: !f) {
  // expected-error@+1 {{knows add and max, not min}}
  %r = tile.reduce min %f : !f -> !rows
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 2, columns = 2>>
!rows = !tile.fragment<64xf32, #tile.row_values<rows = 2, columns = 2>>
func.func @tile_reduce_c2(%f: !f) {
  // expected-error@+1 {{takes an f32 accumulator whose rows lie in one warp each}}
  %r = tile.reduce add %f : !f -> !rows
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!rows = !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
func.func @tile_reduce_c3(%f: !f) {
  // expected-error@+1 {{gives f32 row values of the input's rows and warps}}
  %r = tile.reduce add %f : !f -> !rows
  return
}

// -----

!rows = !tile.fragment<64xf32, #tile.row_values<rows = 4, columns = 1>>
func.func @tile_combine_c1(%r: !rows) {
  // expected-error@+1 {{completes partial row values}}
  %s = tile.combine add %r : !rows -> !rows
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 2, columns = 2>>
!g = !tile.fragment<64x32xf32, #tile.accumulator<rows = 2, columns = 2>>
func.func @tile_columns_c1(%f: !f) {
  // expected-error@+1 {{takes an accumulator whose rows lie in one warp each}}
  %g = tile.columns %f {first = 0 : i64} : !f to !g
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!g = !tile.fragment<128x32xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_columns_c2(%f: !f) {
  // expected-error@+1 {{keeps all but the number of columns}}
  %g = tile.columns %f {first = 0 : i64} : !f to !g
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!g = !tile.fragment<64x32xf32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_columns_c3(%f: !f) {
  // expected-error@+1 {{begins at a multiple of 8 and ends within the whole}}
  %g = tile.columns %f {first = 40 : i64} : !f to !g
  return
}

// -----

!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!g = !tile.fragment<64x64xi32, #tile.accumulator<rows = 4, columns = 1>>
func.func @tile_convert_c1(%f: !f) {
  // expected-error@+1 {{converts f32 to bf16 or f16, or back, got 'f32' and 'i32'}}
  %g = tile.convert %f : !f to !g
  return
}

// -----

// The right factor's lanes hold columns, the accumulator's rows.
!f = !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
!g = !tile.fragment<64x64xbf16, #tile.operand<side = "b", rows = 4, columns = 1>>
func.func @tile_convert_c2(%f: !f) {
  // expected-error@+1 {{keeps every element in its lane, which these layouts do not}}
  %g = tile.convert %f : !f to !g
  return
}
