// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @copies
// CHECK: tile.alloc : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
// CHECK: tile.stage %{{.*}}[%{{.*}}] : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
// CHECK: tile.copy_async %{{.*}}[%{{.*}}, %{{.*}}] in(%{{.*}}, %{{.*}}) stride %{{.*}} to %{{.*}} {warps = 4 : i64}
func.func @copies(%x: !llvm.ptr<1>, %m: index, %k: index, %rows: index, %depth: index, %i: index)
    attributes {weft.threads = 128 : i32} {
  %a = tile.alloc : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
  %a_now = tile.stage %a[%i] : !tile.buffer<128x32xbf16, swizzle = 64, stages = 4>
  tile.copy_async %x[%m, %k] in (%rows, %depth) stride %depth to %a_now {warps = 4 : i64} : !llvm.ptr<1> to !tile.buffer<128x32xbf16, swizzle = 64>
  tile.copy_async %x[%m, %k] stride %depth to %a_now {warps = 4 : i64, bytes = 8 : i64} : !llvm.ptr<1> to !tile.buffer<128x32xbf16, swizzle = 64>
  tile.commit_copies
  tile.wait_copies {pending = 2 : i64}
  tile.sync
  %a_t = tile.load transposed %a_now : !tile.buffer<128x32xbf16, swizzle = 64> to !tile.fragment<32x128xbf16, #tile.operand<side = "b", rows = 4, columns = 1>>
  return
}

// A part of a buffer has the pitch of the whole.
// CHECK-LABEL: @slices
// CHECK: tile.slice %{{.*}}[%{{.*}}, 0] : !tile.buffer<128x64xbf16, swizzle = 128> to !tile.buffer<64x64xbf16, swizzle = 128, pitch = 128>
func.func @slices(%row: index) {
  %q = tile.alloc {offset = 2048 : i64} : !tile.buffer<128x64xbf16, swizzle = 128>
  %mine = tile.slice %q[%row, 0] : !tile.buffer<128x64xbf16, swizzle = 128> to !tile.buffer<64x64xbf16, swizzle = 128, pitch = 128>
  return
}

// CHECK-LABEL: @products
// CHECK: tile.load %{{.*}} : !tile.buffer<128x32xbf16, swizzle = 64> to !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
// CHECK: tile.mma %{{.*}}, b_transposed %{{.*}}, %{{.*}} :
func.func @products(%a_now: !tile.buffer<128x32xbf16, swizzle = 64>, %b_now: !tile.buffer<128x32xbf16, swizzle = 64>,
                    %sum: !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  %a = tile.load %a_now : !tile.buffer<128x32xbf16, swizzle = 64> to !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
  %next = tile.mma %a, b_transposed %b_now, %sum : !tile.fragment<128x32xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>, !tile.buffer<128x32xbf16, swizzle = 64> -> !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>
  return
}

// CHECK-LABEL: @stores
// CHECK: tile.store %{{.*}} to %{{.*}} : !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x64xf32>
func.func @stores(%sum: !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  %staged = tile.alloc : !tile.buffer<64x64xf32>
  tile.store %sum to %staged : !tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>> to !tile.buffer<64x64xf32>
  return
}

// CHECK-LABEL: @global
// CHECK: tile.load_global %{{.*}}[%{{.*}}, %{{.*}}] in(%{{.*}}, %{{.*}}) stride %{{.*}} : !llvm.ptr<1> to !tile.fragment<128xf32, #tile.column_values<rows = 4, columns = 1>>
// CHECK: tile.store_global %{{.*}} to %{{.*}}[%{{.*}}, %{{.*}}] in(%{{.*}}, %{{.*}}) stride %{{.*}} {bytes = 8 : i64, even}
func.func @global(%b: !llvm.ptr<1>, %y: !llvm.ptr<1>, %zero: index, %one: index, %m: index, %n: index, %rows: index,
                  %columns: index, %sum: !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>>) {
  %bias = tile.load_global %b[%zero, %n] in (%one, %columns) stride %columns : !llvm.ptr<1> to !tile.fragment<128xf32, #tile.column_values<rows = 4, columns = 1>>
  tile.store_global %sum to %y[%m, %n] in (%rows, %columns) stride %columns {bytes = 8 : i64, even} : !tile.fragment<128x128xf32, #tile.accumulator<rows = 4, columns = 1>> to !llvm.ptr<1>
  return
}

// CHECK-LABEL: @groups
// CHECK: tile.warp_group_mma %{{.*}}, b_transposed %{{.*}} :
// CHECK: tile.wait_products %{{.*}} {pending = 0 : i64} :
// CHECK: tile.warp_group_mma %{{.*}}, %{{.*}} plus %{{.*}} :
// CHECK: tile.wait_earlier %{{.*}} {pending = 1 : i64}
// CHECK: tile.wait_products %{{.*}} holding(%{{.*}} : {{.*}}) {pending = 0 : i64}
func.func @groups(%q: !tile.buffer<64x128xbf16, swizzle = 128>, %k: !tile.buffer<128x128xbf16, swizzle = 128>,
                  %o: !tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>,
                  %p: !tile.fragment<64x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>) {
  %s = tile.warp_group_mma %q, b_transposed %k : !tile.buffer<64x128xbf16, swizzle = 128>, !tile.buffer<128x128xbf16, swizzle = 128> -> !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
  %scores = tile.wait_products %s {pending = 0 : i64} : !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
  %t = tile.warp_group_mma %p, %k plus %o : !tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>> : !tile.fragment<64x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>, !tile.buffer<128x128xbf16, swizzle = 128> -> !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
  %u = tile.wait_earlier %t {pending = 1 : i64} : !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
  %out = tile.wait_products %t holding(%p : !tile.fragment<64x128xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>) {pending = 0 : i64} : !tile.pending<!tile.fragment<64x128xf32, #tile.accumulator<rows = 4, columns = 1>>>
  return
}
