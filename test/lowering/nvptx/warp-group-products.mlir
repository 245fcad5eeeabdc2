// Items that are a product with a weight in halves become blocks of warp groups on Hopper, of a kind that the host
// chooses by the number of rows.
// RUN: weft-opt %s --split-input-file --weft-warp-group-products --canonicalize --cse --remarks-filter-missed=weft-warp-group-products --remark-format=emitRemark --verify-diagnostics | FileCheck %s
// RUN: sed s/sm_90a/sm_80/g %s | weft-opt --split-input-file --weft-warp-group-products | FileCheck %s --check-prefix=OLD
// OLD-NOT: tile.roles

// Up to 16 rows; up to 1280, where 8 times 11 wide blocks would be as many as are wanted; more.
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
#rest = affine_map<(d0)[s0] -> (-d0 + s0, 128)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @any(
// CHECK-SAME: %{{[a-z0-9]*}}: memref<?x256xf32>, %[[W:[a-z0-9]*]]: memref<2048x128x2xbf16>, {{.*}}, %[[N:[a-z0-9]*]]: index)
// CHECK: memref.collapse_shape %[[W]]
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %[[N]], %c16
// CHECK: scf.if %[[FEW]]
// CHECK: gpu.launch_func @kernels::@any_few blocks in (%{{.*}}, %c8, %c1) threads in (%c256, %c1, %c1)
// CHECK-SAME: weft.tensor_maps = [array<i64: 4, 128, 64, 32>]
// CHECK: else
// CHECK: %[[SOME:.*]] = arith.cmpi ule, %[[N]], %c1280
// CHECK: scf.if %[[SOME]]
// CHECK: gpu.launch_func @kernels::@any_some blocks in (%{{.*}}, %c4, %c1) threads in (%c384, %c1, %c1)
// CHECK-SAME: weft.tensor_maps = [array<i64: 4, 128, 64, 64>]
// CHECK: gpu.launch_func @kernels::@any blocks in (%{{.*}}, %c1, %c1) threads in (%c384, %c1, %c1)
// CHECK-SAME: weft.tensor_maps = [array<i64: 4, 128, 64, 256>]
// CHECK-LABEL: func.func @any(
// CHECK-SAME: %[[MAP:[a-z0-9]*]]: !llvm.ptr {weft.tensor_map})
// CHECK: %[[RING:.*]] = tile.alloc : !tile.buffer<256x64xbf16, swizzle = 128, stages = 4>
// CHECK: tile.pipeline : !tile.pipeline<stages = 4, consumers = 8>
// CHECK: tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer
// CHECK: scf.for %[[STEP:.*]] = %c0 to %c4
// CHECK: %[[AT:.*]] = arith.muli %[[STEP]], %c64
// CHECK: tile.load_tensor %[[MAP]][%[[AT]], %{{.*}}]
// CHECK: } consumer {
// CHECK: ^bb0(%[[GROUP:.*]]: index):
// CHECK: %[[ROW:.*]] = arith.muli %[[GROUP]], %c64
// CHECK: %[[ROWS:[0-9]+]] = tile.load_global %[[X:[0-9]+]][%[[ROW]], %c0] in(%{{.*}}, %c256) stride %c256 {bytes = 8 : i64, even}
// CHECK: scf.for {{.*}} iter_args(%[[R:[a-z0-9]+]] = %[[ROWS]], %[[S:[a-z0-9]+]] = %{{.*}})
// CHECK: %[[A:.*]] = tile.convert %[[R]] : {{.*}} to !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
// CHECK: tile.wait_full
// CHECK: %[[MORE:.*]] = tile.warp_group_mma %[[A]], b_transposed %{{.*}} plus %[[S]]
// CHECK: tile.load_global %[[X]]
// CHECK: tile.wait_products %[[MORE]] holding(%[[A]] : {{.*}}) {pending = 0 : i64}
// CHECK-NEXT: tile.release
// CHECK: tile.store_global %{{.*}} to %{{.*}}[%[[ROW]], %c0] in(%{{.*}}, %c256) stride %c2048
// CHECK: func.func @any_some(
// CHECK: tile.roles {consumers = 2 : i64
// CHECK: tile.warp_group_mma {{.*}} -> !tile.pending<<64x64xf32,
// CHECK: func.func @any_few(
// CHECK: tile.roles {consumers = 1 : i64
// CHECK: tile.warp_group_mma {{.*}} -> !tile.pending<<64x32xf32,
func.func private @any(%x: memref<?x256xf32>, %w: memref<2048x128x2xbf16>, %y: memref<?x2048xf32>, %n: index) attributes {weft.kernel = "linear"} {
  scf.forall (%i, %j) = (0, 0) to (%n, 2048) step (128, 256) {
    %m = affine.min #rest(%i)[%n]
    %xi = memref.subview %x[%i, 0] [%m, 256] [1, 1] : memref<?x256xf32> to memref<?x256xf32, strided<[256, 1], offset: ?>>
    %wj = memref.subview %w[%j, 0, 0] [256, 128, 2] [1, 1, 1] : memref<2048x128x2xbf16> to memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>
    %yi = memref.subview %y[%i, %j] [%m, 256] [1, 1] : memref<?x2048xf32> to memref<?x256xf32, strided<[2048, 1], offset: ?>>
    weft.packed_matmul ins(%xi, %wj : memref<?x256xf32, strided<[256, 1], offset: ?>>, memref<256x128x2xbf16, strided<[256, 2, 1], offset: ?>>) outs(%yi : memref<?x256xf32, strided<[2048, 1], offset: ?>>)
  }
  return
}
}

// -----
// Where the rows are known, there is one function. Of a narrow weight no block is wide, and odd columns are padding.
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @few(
// CHECK: gpu.launch_func @kernels::@few_few blocks in (%c1, %c2, %c1)
// CHECK-NOT: gpu.launch_func
// CHECK-LABEL: func.func private @narrow(
// CHECK: gpu.launch_func @kernels::@narrow blocks in (%c1, %c1, %c1) {{.*}} [array<i64: 3, 128, 64, 64>]
// CHECK-NOT: gpu.launch_func
// CHECK: func.func @few_few(
// CHECK: %[[PART:.*]] = nvvm.read.ptx.sreg.ctaid.y
// CHECK: %[[COLUMN:.*]] = arith.muli %{{.*}}, %c32
// CHECK: tile.load_tensor %{{.*}}[%{{.*}}, %[[COLUMN]]]
// CHECK: tile.store_global %{{.*}} to %{{.*}}[%{{.*}}, %[[COLUMN]]] in(%c3, %c37)
func.func private @few(%x: memref<3x24xf32>, %w: memref<37x12x2xbf16>, %y: memref<3x37xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<3x24xf32>, memref<37x12x2xbf16>) outs(%y : memref<3x37xf32>)
  return
}
func.func private @narrow(%x: memref<17x24xf32>, %w: memref<37x12x2xf16>, %y: memref<17x37xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<17x24xf32>, memref<37x12x2xf16>) outs(%y : memref<17x37xf32>)
  return
}
}

// -----
// An op that reads the sums, and other numbers of the same place, does so 16 columns after the other, and stores them.
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
#id = affine_map<(m, n) -> (m, n)>
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func @parts(
// CHECK: %[[SUM:.*]]:2 = scf.for
// CHECK: %[[LEFT:.*]] = tile.columns %[[SUM]]#1 {first = 0 : i64} : {{.*}} to !tile.fragment<64x16xf32,
// CHECK: %[[BIAS:[0-9]+]] = tile.load_global %{{[0-9]+}}[%c0, %c0] in(%c1, %c64)
// CHECK: %[[BIASED:.*]] = tile.map ins(%[[LEFT]], %[[BIAS]] :
// CHECK: %[[OTHER:.*]] = tile.load_global %[[Z:[0-9]+]][%[[ROW:[0-9]+]], %c0] in(%c100, %c64)
// CHECK: %[[DONE:.*]] = tile.map ins(%[[BIASED]], %[[OTHER]] :
// CHECK: tile.store_global %[[DONE]] to %[[Y:[0-9]+]][%[[ROW]], %c0] in(%c100, %c64)
// CHECK: tile.columns %[[SUM]]#1 {first = 16 : i64}
// CHECK: tile.load_global %[[Z]][%[[ROW]], %c16]
// CHECK: tile.store_global %{{.*}} to %[[Y]][%[[ROW]], %c16]
// CHECK: tile.store_global %{{.*}} to %[[Y]][%[[ROW]], %c48]
func.func private @parts(%x: memref<100x128xf32>, %w: memref<64x64x2xbf16>, %b: memref<64xf32>, %z: memref<100x64xf32>, %y: memref<100x64xf32>) attributes {weft.kernel = "linear"} {
  %sum = memref.alloca() : memref<100x64xf32>
  weft.packed_matmul ins(%x, %w, %b : memref<100x128xf32>, memref<64x64x2xbf16>, memref<64xf32>) outs(%sum : memref<100x64xf32>)
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%sum, %z : memref<100x64xf32>, memref<100x64xf32>) outs(%y : memref<100x64xf32>) {
  ^bb0(%s: f32, %a: f32, %out: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  }
  return
}
}

// -----
// For other blocks: rows of 12 bytes, which bulk copies do not bring; a weight that begins anywhere; f32.
#target = #weft.target<isa = "sm_90a", lanes = 16, registers = 32, cpu = "sm_90a", features = "">
module attributes {weft.target = #target} {
// CHECK-NOT: gpu.module
// CHECK: @negative_depth
// CHECK: @negative_place
// CHECK: @negative_float
// CHECK-NOT: gpu.module
func.func private @negative_depth(%x: memref<4x6xf32>, %w: memref<16x3x2xbf16>, %y: memref<4x16xf32>) attributes {weft.kernel = "linear"} {
  // expected-remark@+1 {{by mma.sync instead of wgmma}}
  weft.packed_matmul ins(%x, %w : memref<4x6xf32>, memref<16x3x2xbf16>) outs(%y : memref<4x16xf32>)
  return
}
func.func private @negative_place(%x: memref<4x8xf32>, %w: memref<16x4x2xbf16, strided<[8, 2, 1], offset: ?>>, %y: memref<4x16xf32>) attributes {weft.kernel = "linear"} {
  // expected-remark@+1 {{by mma.sync instead of wgmma}}
  weft.packed_matmul ins(%x, %w : memref<4x8xf32>, memref<16x4x2xbf16, strided<[8, 2, 1], offset: ?>>) outs(%y : memref<4x16xf32>)
  return
}
func.func private @negative_float(%x: memref<4x8xf32>, %w: memref<16x8x1xf32>, %y: memref<4x16xf32>) attributes {weft.kernel = "linear"} {
  weft.packed_matmul ins(%x, %w : memref<4x8xf32>, memref<16x8x1xf32>) outs(%y : memref<4x16xf32>)
  return
}
}
