// What reduces long rows becomes a function for a block of threads.
// RUN: weft-opt %s --split-input-file --weft-block-rows --canonicalize --cse | FileCheck %s

#row = affine_map<(m, n) -> (m, n)>
#sum = affine_map<(m, n) -> (m)>
#target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">
module attributes {weft.target = #target} {
// CHECK-LABEL: func.func private @norm(
// CHECK: gpu.launch_func @kernels::@norm blocks in (%{{.*}}, %c1, %c1) threads in (%c256, %c1, %c1) dynamic_shared_memory_size %c1040_i32
// CHECK: func.func @norm(
// CHECK-SAME: weft.block
// CHECK: %[[THREAD:.*]] = arith.index_castui %{{.*}} : i32 to index
// CHECK: scf.for %{{.*}} to %c1 step %c256
// CHECK: memref.store %cst
// CHECK: tile.sync
// Four elements of a thread, 256 apart, before they are added.
// CHECK: %[[SHARE:.*]] = scf.for %{{.*}} = %{{.*}} to %c4096 step %c1024 iter_args(%{{.*}} = %{{.*}}) -> (f32)
// CHECK-COUNT-4: memref.load
// CHECK-NOT: arith.select
// CHECK: scf.yield
// CHECK: nvvm.shfl.sync bfly %{{.*}}, %[[SHARE]], %c1_i32
// CHECK-COUNT-4: nvvm.shfl.sync bfly
// CHECK: llvm.store
// CHECK: tile.sync
// CHECK: scf.if
// CHECK-COUNT-8: llvm.load
// CHECK: tile.sync
// CHECK: scf.for %{{.*}} to %c4096 step %c1024
// CHECK-COUNT-4: arith.mulf
// CHECK-COUNT-4: memref.store
func.func private @norm(%x: memref<?x4096xf32>, %y: memref<?x4096xf32>, %n: index) attributes {weft.kernel = "norm"} {
  %zero = arith.constant 0.0 : f32
  scf.forall (%i) in (%n) {
    %xi = memref.subview %x[%i, 0] [1, 4096] [1, 1] : memref<?x4096xf32> to memref<1x4096xf32, strided<[4096, 1], offset: ?>>
    %yi = memref.subview %y[%i, 0] [1, 4096] [1, 1] : memref<?x4096xf32> to memref<1x4096xf32, strided<[4096, 1], offset: ?>>
    %sum = memref.alloca() : memref<1xf32>
    linalg.fill ins(%zero : f32) outs(%sum : memref<1xf32>)
    linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]}
      ins(%xi : memref<1x4096xf32, strided<[4096, 1], offset: ?>>) outs(%sum : memref<1xf32>) {
    ^bb0(%a: f32, %s: f32):
      %more = arith.addf %s, %a : f32
      linalg.yield %more : f32
    }
    linalg.generic {indexing_maps = [#row, #sum, #row], iterator_types = ["parallel", "parallel"]}
      ins(%xi, %sum : memref<1x4096xf32, strided<[4096, 1], offset: ?>>, memref<1xf32>)
      outs(%yi : memref<1x4096xf32, strided<[4096, 1], offset: ?>>) {
    ^bb0(%a: f32, %s: f32, %o: f32):
      %scaled = arith.mulf %a, %s : f32
      linalg.yield %scaled : f32
    }
  }
  return
}
}

// -----
// The largest of so many numbers as a call has, for each of 24 heads: 32 threads beside each other for neighbours, eight
// of them for each head. What is beyond the end changes nothing.
#all = affine_map<(s, h) -> (s, h)>
#heads = affine_map<(s, h) -> (h)>
module attributes {weft.target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">} {
// CHECK-LABEL: func.func private @largest(
// CHECK: func.func @largest(
// CHECK-DAG: %[[MINE:.*]] = arith.remui %{{.*}}, %c32
// CHECK-DAG: %[[GROUP:.*]] = arith.divui %{{.*}}, %c32
// CHECK: scf.for %{{.*}} = %[[GROUP]] to %{{.*}} step %c32
// CHECK-COUNT-4: memref.load
// CHECK: arith.select
// CHECK: arith.maximumf
// CHECK-NOT: nvvm.shfl
// CHECK: llvm.store
// CHECK: tile.sync
// CHECK: arith.cmpi ult, %{{.*}}, %c24
// CHECK-COUNT-8: llvm.load
func.func private @largest(%x: memref<?x24xf32>, %y: memref<24xf32>) attributes {weft.kernel = "reduce"} {
  scf.forall (%i) in (1) {
    linalg.generic {indexing_maps = [#all, #heads], iterator_types = ["reduction", "parallel"]} ins(%x : memref<?x24xf32>) outs(%y : memref<24xf32>) {
    ^bb0(%a: f32, %s: f32):
      %more = arith.maximumf %s, %a : f32
      linalg.yield %more : f32
    }
  }
  return
}
}

// -----
// Short rows are for lanes, and so is a sum that its region reads twice.
#row = affine_map<(m, n) -> (m, n)>
#sum = affine_map<(m, n) -> (m)>
module attributes {weft.target = #weft.target<isa = "sm_80", lanes = 16, registers = 32, cpu = "sm_80", features = "">} {
// CHECK-LABEL: @negative_short
// CHECK: linalg.generic
func.func private @negative_short(%x: memref<1x256xf32>, %y: memref<1xf32>) attributes {weft.kernel = "reduce"} {
  scf.forall (%i) in (1) {
    linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]} ins(%x : memref<1x256xf32>) outs(%y : memref<1xf32>) {
    ^bb0(%a: f32, %s: f32):
      %more = arith.addf %s, %a : f32
      linalg.yield %more : f32
    }
  }
  return
}
// CHECK-LABEL: @negative_twice
// CHECK: linalg.generic
func.func private @negative_twice(%x: memref<1x4096xf32>, %y: memref<1xf32>) attributes {weft.kernel = "reduce"} {
  scf.forall (%i) in (1) {
    linalg.generic {indexing_maps = [#row, #sum], iterator_types = ["parallel", "reduction"]} ins(%x : memref<1x4096xf32>) outs(%y : memref<1xf32>) {
    ^bb0(%a: f32, %s: f32):
      %twice = arith.mulf %s, %s : f32
      %more = arith.addf %twice, %a : f32
      linalg.yield %more : f32
    }
  }
  return
}
}
