// RUN: weft-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{a pipeline has stages, and 1 to 32 warps that release them}}
func.func @tile_pipeline_c1(%p: !tile.pipeline<stages = 0, consumers = 4>) {
  return
}

// -----

func.func @tile_pipeline_c2() {
  // expected-error@+1 {{needs an offset that is a multiple of 8}}
  %p = tile.pipeline {offset = 4 : i64} : !tile.pipeline<stages = 2, consumers = 4>
  return
}

// -----

func.func @tile_pipeline_c3() {
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    // expected-error@+1 {{stands before the roles, which begin with the barrier that makes it ready}}
    %p = tile.pipeline : !tile.pipeline<stages = 2, consumers = 4>
    tile.end
  } consumer {
  ^bb0(%g: index):
    tile.end
  }
  return
}

// -----

func.func @tile_fill_c1(%p: !tile.pipeline<stages = 2, consumers = 4>, %i: index) {
  // expected-error@+1 {{has copies in its region}}
  tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
    tile.end
  }
  return
}

// -----

func.func @tile_load_tensor_c1(%p: !tile.pipeline<stages = 2, consumers = 4>, %i: index, %map: !llvm.ptr, %b: !tile.buffer<8x64xbf16, swizzle = 128>) {
  tile.fill %p[%i] : !tile.pipeline<stages = 2, consumers = 4> {
    // expected-error@+1 {{has two to five coordinates}}
    tile.load_tensor %map[%i] to %b : !llvm.ptr to !tile.buffer<8x64xbf16, swizzle = 128>
    tile.end
  }
  return
}

// -----

func.func @tile_load_tensor_c2(%map: !llvm.ptr, %i: index, %b: !tile.buffer<8x64xbf16>) {
  // expected-error@+1 {{takes one stage of a buffer with a swizzle and at most 256 rows}}
  tile.store_tensor %b to %map[%i, %i] at %i {warps = 4 : i64} : !tile.buffer<8x64xbf16> to !llvm.ptr
  return
}

// -----

func.func @tile_barrier_c1(%i: index) {
  // expected-error@+1 {{knows sync and arrive, not wait}}
  tile.barrier wait %i {warps = 4 : i64}
  return
}

// -----

func.func @tile_barrier_c2(%i: index) {
  // expected-error@+1 {{is of 1 to 32 warps, got 33}}
  tile.barrier sync %i {warps = 33 : i64}
  return
}

// -----

func.func @tile_sync_c1() {
  tile.roles {consumers = 1 : i64, registers = array<i64: 24, 240>} producer {
    tile.end
  } consumer {
  ^bb0(%g: index):
    // expected-error@+1 {{in a role waits for ever, the others do not come: use tile.barrier}}
    tile.sync
    tile.end
  }
  return
}
