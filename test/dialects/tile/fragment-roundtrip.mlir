// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @elements
// CHECK: tile.splat %{{.*}} : f32 to !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
// CHECK: tile.coordinate {dimension = 1 : i64} :
// CHECK: tile.map ins(%{{.*}}, %{{.*}} : {{.*}}) -> !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> {
// CHECK: tile.yield %{{.*}} : f32
// CHECK: tile.reduce max %{{.*}} :
// CHECK: tile.combine add %{{.*}} :
// CHECK: tile.columns %{{.*}} {first = 64 : i64} :
// CHECK: tile.convert %{{.*}} :
func.func @elements(%x: f32, %sum: !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>,
                    %wide: !tile.fragment<64x256xf32, #tile.accumulator<rows = 4, columns = 1>>,
                    %scale: !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>,
                    %part: !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1, partial = true>>) {
  %none = tile.splat %x : f32 to !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
  %column = tile.coordinate {dimension = 1 : i64} : !tile.fragment<128x128xi32, #tile.accumulator<rows = 4, columns = 1>>
  %scaled = tile.map ins(%sum, %scale : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>, !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>) -> !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> {
  ^bb0(%s: f32, %r: f32):
    %p = arith.mulf %s, %r : f32
    tile.yield %p : f32
  }
  %peak = tile.reduce max %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
  %whole = tile.combine add %part : !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1, partial = true>> -> !tile.fragment<128xf32, #tile.row_values<rows = 4, columns = 1>>
  %right = tile.columns %wide {first = 64 : i64} : !tile.fragment<64x256xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>
  %p = tile.convert %sum : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.fragment<128x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
  return
}
