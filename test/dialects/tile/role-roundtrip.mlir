// RUN: weft-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @nothing
// CHECK: tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer {
// CHECK: } consumer {
// CHECK: ^bb0(%{{.*}}: index):
func.func @nothing() attributes {weft.threads = 384 : i32} {
  tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer {
    tile.end
  } consumer {
  ^bb0(%group: index):
    tile.end
  }
  return
}

// CHECK-LABEL: @pipelined
// CHECK: tile.pipeline : !tile.pipeline<stages = 4, consumers = 8>
// CHECK: tile.fill %{{.*}}[%{{.*}}] : !tile.pipeline<stages = 4, consumers = 8> {
// CHECK: tile.load_tensor %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} : !llvm.ptr to !tile.buffer<128x64xbf16, swizzle = 128>
// CHECK: tile.wait_full %{{.*}}[%{{.*}}] : !tile.pipeline<stages = 4, consumers = 8>
// CHECK: tile.release %{{.*}}[%{{.*}}] : !tile.pipeline<stages = 4, consumers = 8>
// CHECK: tile.barrier sync %{{.*}} {warps = 4 : i64}
// CHECK: tile.store_tensor %{{.*}} to %{{.*}}[%{{.*}}, %{{.*}}] at %{{.*}} {warps = 4 : i64}
func.func @pipelined(%map: !llvm.ptr, %n: index, %m: index, %k: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc : !tile.buffer<128x64xbf16, swizzle = 128, stages = 4>
  %staged = tile.alloc : !tile.buffer<64x64xbf16, swizzle = 128>
  %full = tile.pipeline : !tile.pipeline<stages = 4, consumers = 8>
  tile.roles {consumers = 2 : i64, registers = array<i64: 40, 232>} producer {
    scf.for %i = %c0 to %n step %c1 {
      %a_now = tile.stage %a[%i] : !tile.buffer<128x64xbf16, swizzle = 128, stages = 4>
      tile.fill %full[%i] : !tile.pipeline<stages = 4, consumers = 8> {
        tile.load_tensor %map[%k, %m] to %a_now : !llvm.ptr to !tile.buffer<128x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%number: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %full[%i] : !tile.pipeline<stages = 4, consumers = 8>
      tile.release %full[%i] : !tile.pipeline<stages = 4, consumers = 8>
    }
    tile.barrier sync %number {warps = 4 : i64}
    tile.store_tensor %staged to %map[%n, %m] at %number {warps = 4 : i64} : !tile.buffer<64x64xbf16, swizzle = 128> to !llvm.ptr
    tile.end
  }
  return
}
