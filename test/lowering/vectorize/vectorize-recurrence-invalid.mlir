// RUN: weft-opt %s --split-input-file --weft-vectorize-recurrence --verify-diagnostics

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @unknown_columns(%v: memref<1x?x?xf32>, %y: memref<1x?x?xf32>) {
  // expected-error@+1 {{needs extents of n and e that are known or bounded: run the tile phase first}}
  weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (b, t, e)>]}
    ins(%v : memref<1x?x?xf32>) outs(%y : memref<1x?x?xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    }
  return
}
}

// -----

module attributes {weft.target = #weft.target<isa = "v4", lanes = 16, registers = 32, cpu = "x86-64-v4", features = "">} {
func.func @several_parts(%v: memref<1x?x16xf32>, %s: memref<?x1x16xf32>) {
  // expected-error@+1 {{has several parts, each with states of its own: run the tile phase first}}
  weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (b, t, e)>, affine_map<(b, h, t, n, e) -> (t floordiv 512, b, e)>]}
    ins(%v : memref<1x?x16xf32>) state(%s : memref<?x1x16xf32>)
    step {
    ^bb0(%value: f32):
      weft.step value(%value)
    }
  return
}
}
