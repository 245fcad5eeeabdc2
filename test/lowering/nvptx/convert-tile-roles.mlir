// RUN: weft-opt %s --weft-place-buffers --weft-convert-tile-ops --canonicalize --cse | FileCheck %s

// One asynchronous group: fence, products, commit in one piece of assembly, the sums tied to it and to the wait.
// CHECK-LABEL: @group
// CHECK-SAME: weft.shared_bytes = 24576
// CHECK: llvm.inline_asm has_side_effects {{.*}}"{ .reg .pred more, none; {{.*}}wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, $4, $5, none, 1, 1, 0, 0; add.s64 left, $4, 2; add.s64 right, $5, 2; wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {$0, $1, $2, $3}, left, right, more, 1, 1, 0, 0; {{.*}}wgmma.commit_group.sync.aligned; }", "=&f,=&f,=&f,=&f,l,l,~{memory}"
// CHECK: llvm.inline_asm has_side_effects {{.*}}"wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,0,1,2,3,~{memory}"
// A left factor in registers is held by the wait.
// CHECK: {$0, $1, $2, $3}, {$4, $5, $6, $7}, $20, more, 1, 1, 0;
// CHECK: "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,0,1,2,3,~{memory}"
!sum = !tile.fragment<64x8xf32, #tile.accumulator<rows = 4, columns = 1>>
!left = !tile.fragment<64x64xbf16, #tile.operand<side = "a", rows = 4, columns = 1>>
!pending = !tile.pending<!sum>
func.func @group(%y: !llvm.ptr<1>, %i: index) {
  %a = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
  %other = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
  %all = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
  %b = tile.slice %other[%i, 0] : !tile.buffer<64x64xbf16, swizzle = 128> to !tile.buffer<8x64xbf16, swizzle = 128, pitch = 64>
  %p = tile.load %a : !tile.buffer<64x64xbf16, swizzle = 128> to !left
  %s = tile.warp_group_mma %a, b_transposed %b : !tile.buffer<64x64xbf16, swizzle = 128>, !tile.buffer<8x64xbf16, swizzle = 128, pitch = 64> -> !pending
  %t = tile.wait_products %s {pending = 0 : i64} : !pending
  %u = tile.warp_group_mma %p, b_transposed %b plus %t : !sum : !left, !tile.buffer<8x64xbf16, swizzle = 128, pitch = 64> -> !pending
  %v = tile.wait_products %u holding(%p : !left) {pending = 0 : i64} : !pending
  tile.store_global %v to %y[%i, %i] stride %i : !sum to !llvm.ptr<1>
  return
}

// A thread makes the barriers: one arrival fills a stage, those of the consumers' warps empty it. After the block's
// barrier one thread of the first warps fills, the others consume, with registers taken from the first.
// CHECK-LABEL: @roles
// CHECK-SAME: nvvm.minctasm = 1 : i32
// CHECK: scf.if
// CHECK: nvvm.mbarrier.init %{{.*}}, %c1
// CHECK: nvvm.mbarrier.init %{{.*}}, %c1
// CHECK: nvvm.mbarrier.init %{{.*}}, %c4
// CHECK: nvvm.mbarrier.init %{{.*}}, %c4
// CHECK: nvvm.fence.mbarrier.init
// CHECK: nvvm.barrier0
// CHECK: nvvm.shfl.sync idx
// CHECK: scf.if
// CHECK: nvvm.setmaxregister decrease 24
// CHECK: nvvm.elect.sync
// CHECK: scf.for
// CHECK: nvvm.mbarrier.try_wait.parity
// CHECK: nvvm.mbarrier.arrive.expect_tx %{{.*}}, %c8192
// CHECK: "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {$3, $4}], [$2];", "r,l,r,r,r,~{memory}"
// CHECK: else
// CHECK: nvvm.setmaxregister increase 240
// CHECK: scf.for
// CHECK: nvvm.mbarrier.try_wait.parity
// CHECK: nvvm.mbarrier.arrive
// CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
// CHECK: nvvm.barrier id = %{{.*}} number_of_threads = %c128
// CHECK: "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [$0, {$2, $3}], [$1];"
// CHECK: nvvm.cp.async.bulk.commit.group
// CHECK: nvvm.cp.async.bulk.wait_group 0 {read}
!pipe = !tile.pipeline<stages = 2, consumers = 4>
!buffer = !tile.buffer<64x64xbf16, swizzle = 128>
func.func @roles(%map: !llvm.ptr, %n: index) attributes {weft.threads = 256 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %ring = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128, stages = 2>
  %out = tile.alloc : !buffer
  %full = tile.pipeline : !pipe
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      %row = arith.muli %i, %c64 : index
      %now = tile.stage %ring[%i] : !tile.buffer<64x64xbf16, swizzle = 128, stages = 2>
      tile.fill %full[%i] : !pipe {
        tile.load_tensor %map[%c0, %row] to %now : !llvm.ptr to !buffer
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%group: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %full[%i] : !pipe
      tile.release %full[%i] : !pipe
    }
    tile.store_tensor %out to %map[%c0, %c0] at %c1 {warps = 4 : i64} : !buffer to !llvm.ptr
    tile.end
  }
  return
}
