// RUN: weft-opt %s --split-input-file --verify-diagnostics

!pipe = !tile.pipeline<stages = 2, consumers = 4>
!ring = !tile.buffer<64x64xbf16, swizzle = 128, stages = 2>
!one = !tile.buffer<64x64xbf16, swizzle = 128>
func.func @tile_roles_c12(%map: !llvm.ptr, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = tile.alloc : !ring
  %p = tile.pipeline : !pipe
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      %next = arith.addi %i, %c1 : index
      %now = tile.stage %ring[%next] : !ring
      tile.fill %p[%i] : !pipe {
        // expected-error@+1 {{fills another stage than its pipeline's}}
        tile.load_tensor %map[%c0, %c0] to %now : !llvm.ptr to !one
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

// The consumer multiplies a stage before it waits for it.
!pipe = !tile.pipeline<stages = 2, consumers = 4>
!ring = !tile.buffer<64x64xbf16, swizzle = 128, stages = 2>
!one = !tile.buffer<64x64xbf16, swizzle = 128>
!pending = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_roles_c13(%map: !llvm.ptr, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = tile.alloc : !ring
  %p = tile.pipeline : !pipe
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      %now = tile.stage %ring[%i] : !ring
      tile.fill %p[%i] : !pipe {
        tile.load_tensor %map[%c0, %c0] to %now : !llvm.ptr to !one
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      %now = tile.stage %ring[%i] : !ring
      // expected-error@+1 {{reads a stage that it has not waited for, or has released}}
      %s = tile.warp_group_mma %now, %now : !one, !one -> !pending
      tile.wait_full %p[%i] : !pipe
      %f = tile.wait_products %s {pending = 0 : i64} : !pending
      tile.release %p[%i] : !pipe
    }
    tile.end
  }
  return
}

// -----

// The products of this stage are issued but not awaited: the producer would overwrite what they read.
!pipe = !tile.pipeline<stages = 2, consumers = 4>
!ring = !tile.buffer<64x64xbf16, swizzle = 128, stages = 2>
!one = !tile.buffer<64x64xbf16, swizzle = 128>
!pending = !tile.pending<!tile.fragment<64x64xf32, #tile.accumulator<rows = 4, columns = 1>>>
func.func @tile_roles_c14(%map: !llvm.ptr, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %ring = tile.alloc : !ring
  %p = tile.pipeline : !pipe
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      %now = tile.stage %ring[%i] : !ring
      tile.fill %p[%i] : !pipe {
        tile.load_tensor %map[%c0, %c0] to %now : !llvm.ptr to !one
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %p[%i] : !pipe
      %now = tile.stage %ring[%i] : !ring
      %s = tile.warp_group_mma %now, %now : !one, !one -> !pending
      // expected-error@+1 {{releases a stage that products are still reading}}
      tile.release %p[%i] : !pipe
      %f = tile.wait_products %s {pending = 0 : i64} : !pending
    }
    tile.end
  }
  return
}
