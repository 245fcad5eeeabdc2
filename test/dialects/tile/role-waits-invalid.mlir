// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @tile_roles_c4(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      %j = arith.addi %i, %c1 : index
      // expected-error@+1 {{comes with index 1 where 0 is next}}
      tile.wait_full %p[%j] : !tile.pipeline<stages = 2, consumers = 4>
    }
    tile.end
  }
  return
}

// -----

// A consumer that never releases fills the ring.
func.func @tile_roles_c5(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      // expected-error@+1 {{waits for ever at index 2: not every consumer releases its stage}}
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
    }
    tile.end
  }
  return
}

// -----

// The producer's loop is one shorter.
func.func @tile_roles_c5_unfilled(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
      tile.release %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
    }
    // expected-error@+1 {{waits for ever at index 1: nothing fills its stage}}
    tile.wait_full %p[%n] : !tile.pipeline<stages = 2, consumers = 4>
    tile.end
  }
  return
}

// -----

// The last filling is never read.
func.func @tile_roles_c6(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      // expected-error@+1 {{fills 2 times what a consumer waits for 1 times}}
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.fill %p[%n] : !tile.pipeline<stages = 2, consumers = 4> {
      tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
      tile.end
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
      tile.release %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
    }
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c7(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      // expected-error@+1 {{releases what was not waited for}}
      tile.release %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
      tile.wait_full %p[%i] : !tile.pipeline<stages = 2, consumers = 4>
    }
    tile.end
  }
  return
}
