// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @tile_roles_c1(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  // expected-error@+1 {{has consumers, and two numbers of registers, multiples of 8 from 24 to 256}}
  tile.roles {consumers = 1 : i64, registers = array<i64: 20, 240>} producer {
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c2(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  // expected-error@+1 {{hands out 66560 registers, of 64512 that there are: consumers would wait for ever}}
  tile.roles {consumers = 2 : i64, registers = array<i64: 40, 240>} producer {
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c8(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) attributes {weft.threads = 128 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  // expected-error@+1 {{is for 256 threads, but the block has 128}}
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c9() {
  // expected-error@+1 {{has a producer without arguments and a consumer with its number}}
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    tile.end
  } consumer {
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c10(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    // expected-error@+1 {{stands in the wrong role: producers fill, consumers wait and release}}
    tile.wait_full %p[%c0] : !tile.pipeline<stages = 2, consumers = 4>
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c11(%map: !llvm.ptr, %n: index, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 8>
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 8> {
        tile.load_tensor %map[%c0, %c0] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
        tile.end
      }
    }
    tile.end
  } consumer {
  ^bb0(%g: index):
    scf.for %i = %c0 to %n step %c1 {
      tile.wait_full %p[%i] : !tile.pipeline<stages = 2, consumers = 8>
      // expected-error@+1 {{is by 4 warps, but the pipeline waits for 8}}
      tile.release %p[%i] : !tile.pipeline<stages = 2, consumers = 8>
    }
    tile.end
  }
  return
}

// -----

func.func @tile_roles_c3(%map: !llvm.ptr, %n: index, %t: i1, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
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
    scf.if %t {
      // expected-error@+1 {{stands in a role or in scf.for loops in it}}
      tile.wait_full %p[%c0] : !tile.pipeline<stages = 2, consumers = 4>
    }
    tile.end
  }
  return
}
